import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Agent } from 'undici';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { IntegrationError } from '../../../errors';
import { traceHeaders } from '../../../tracing';
import { assertPublicUrl, createAgent } from './egress-guard';
import { networkFault } from './network-fault';
import { parseRetryAfter } from '../policies/retry-after';

export interface DestinationPost {
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Total time, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface DestinationAnswer {
  /** HTTP status; a redirect is one like any other. */
  readonly status: number;
  /** What the address asked for, ms, an hour at most. */
  readonly retryAfterMs?: number;
}

/** Posts to addresses that somebody configured: webhooks and alerts. In production only to public ones; never along a redirect. */
@Injectable()
export class DestinationHttp implements OnApplicationShutdown {
  private readonly guarded: boolean;
  private made: Agent | undefined;

  constructor(@Inject(SETTINGS) settings: Pick<Settings, 'production'>) {
    this.guarded = settings.production;
  }

  /** @throws IntegrationError `destination_refused` where `post` would not even try; names are checked when they are resolved */
  assertAllowed(url: string): void {
    if (!URL.canParse(url)) throw new IntegrationError('destination_refused', { notExecuted: true });
    if (this.guarded) assertPublicUrl(new URL(url));
  }

  /**
   * @returns the HTTP status; the answer itself is dropped
   * @throws IntegrationError `destination_refused`, `provider_unavailable` or `provider_timeout`
   */
  async post(url: string, post: DestinationPost): Promise<number> {
    return (await this.send(url, post)).status;
  }

  /** As `post`, with what else the answer says. */
  async send(url: string, { body, headers, timeoutMs, signal }: DestinationPost): Promise<DestinationAnswer> {
    this.assertAllowed(url);
    const target = new URL(url);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await this.agent.request({
        origin: target.origin,
        path: target.pathname + target.search,
        method: 'POST',
        headers: { ...headers, ...traceHeaders() },
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      // A date to wait for, in an answer that has no Date of its own, is taken for the longest wait.
      const retryAfterMs = parseRetryAfter(retryHeaders(answer.headers), 0);
      await answer.body.dump({ limit: 16 * 1024 });
      return { status: answer.statusCode, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } catch (error) {
      if (timeout.aborted) throw new IntegrationError('provider_timeout', { detail: 'The address did not answer in time.', cause: error });
      throw networkFault('outgoing', error);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.made?.destroy();
  }

  private get agent(): Agent {
    return (this.made ??= createAgent({
      guarded: this.guarded,
      connections: 64, // of one origin; many destinations may share a host, and each caller bounds itself
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 10_000,
    }));
  }
}

function retryHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const kept = new Headers();
  for (const name of ['retry-after', 'date']) {
    const value = headers[name];
    if (typeof value === 'string') kept.set(name, value);
  }
  return kept;
}
