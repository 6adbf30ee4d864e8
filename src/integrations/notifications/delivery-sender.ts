import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { findIntegrationError, type ErrorCode } from '../../errors';
import { DestinationHttp } from '../outbound';
import { signStandardWebhook } from '../providers/signatures/standard-webhook.signer';
import type { ClaimedDelivery } from './claimed-delivery';
import { DestinationSecrets } from './destination-secrets';
import { OperatorDestinations } from './operator-destinations';
import { DELIVERY_OPTIONS, type DeliveryOptions } from './delivery-options';

/** What came of one POST. */
export interface SendResult {
  readonly at: Date;
  readonly durationMs: number;
  /** Absent where nothing answered. */
  readonly status?: number;
  /** Absent where it was taken: `http_500`, `timeout`, `unreachable`, … */
  readonly error?: string;
  readonly retryAfterMs?: number;
}

const ERRORS: Partial<Record<ErrorCode, string>> = {
  provider_timeout: 'timeout',
  provider_unavailable: 'unreachable',
  provider_bad_answer: 'bad_answer',
  destination_refused: 'address_refused',
  decryption_failed: 'secret_unreadable',
};

/** One POST, signed with every secret that is good now (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). */
@Injectable()
export class DeliverySender {
  constructor(
    private readonly http: DestinationHttp,
    private readonly secrets: DestinationSecrets,
    private readonly operators: OperatorDestinations,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(DELIVERY_OPTIONS) private readonly options: Pick<DeliveryOptions, 'timeoutMs'>,
  ) {}

  /** Never throws: what failed stands in the result. Nothing but 2xx counts as taken. */
  async send(delivery: ClaimedDelivery, signal?: AbortSignal): Promise<SendResult> {
    const at = this.clock.now();
    const result = (facts: Pick<SendResult, 'status' | 'error' | 'retryAfterMs'>): SendResult => ({
      at: new Date(at),
      durationMs: Math.max(0, this.clock.now() - at),
      ...facts,
    });
    try {
      const { url, body, secret } = this.targetOf(delivery);
      const signature = secret.length > 0 ? signStandardWebhook({ id: delivery.messageId, body, secret, timestampMs: at }) : {};
      const headers = { ...signature, 'content-type': 'application/json', 'user-agent': 'Trestle-Webhooks/1' };
      const { status, retryAfterMs } = await this.http.send(url, {
        body,
        headers,
        timeoutMs: this.options.timeoutMs,
        signal,
      });
      return status >= 200 && status < 300 ? result({ status }) : result({ status, error: `http_${status}`, retryAfterMs });
    } catch (error) {
      const code = findIntegrationError(error)?.code;
      return result({ error: (code && ERRORS[code]) ?? 'failed' });
    }
  }

  private targetOf({ tenant, url, body, secrets }: ClaimedDelivery): { url: string; body: string; secret: string[] } {
    return this.operators.resolve(url, body) ?? { url, body, secret: this.secrets.open(tenant, secrets) };
  }
}
