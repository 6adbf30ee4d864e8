import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Agent } from 'undici';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { assertPublicUrl, createAgent } from './egress-guard';
import { networkFault } from './network-fault';

export interface OutgoingPost {
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Total time, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Posts to addresses that somebody configured: webhooks and alerts. In production only to public ones; never along a redirect. */
@Injectable()
export class OutgoingHttp implements OnApplicationShutdown {
  private readonly guarded: boolean;
  private readonly agent: Agent;

  constructor(@Inject(SETTINGS) settings: Pick<Settings, 'production'>) {
    this.guarded = settings.production;
    this.agent = createAgent({
      guarded: this.guarded,
      connections: 8,
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 10_000,
    });
  }

  /**
   * @returns the HTTP status; the answer itself is dropped
   * @throws IntegrationError `destination_refused`, `provider_unavailable` or `provider_timeout`
   */
  async post(url: string, { body, headers, timeoutMs, signal }: OutgoingPost): Promise<number> {
    if (!URL.canParse(url)) throw new IntegrationError('destination_refused', { notExecuted: true });
    const target = new URL(url);
    if (this.guarded) assertPublicUrl(target);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await this.agent.request({
        origin: target.origin,
        path: target.pathname + target.search,
        method: 'POST',
        headers: { ...headers },
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      await answer.body.dump({ limit: 16 * 1024 });
      return answer.statusCode;
    } catch (error) {
      if (timeout.aborted) throw new IntegrationError('provider_timeout', { detail: 'The address did not answer in time.', cause: error });
      throw networkFault('outgoing', error);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }
}
