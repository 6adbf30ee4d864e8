import type { Clock } from '../../../clock';
import type { HttpFacts } from '../../contract';
import { accountOf, type Call } from '../call';
import { limiterWaitSeconds } from '../outbound-metrics';
import type { Interceptor, Next } from '../interceptor';
import { bucketsOf } from './limits/buckets';
import type { Bucket } from './limits/gcra';
import { LimitQueue, type LimitQueueOptions } from './limits/limit-queue';
import type { LimitStore } from './limits/limit-store';
import { AnswerError } from '../answer-error';
import { capped } from './retry-after';

/** A "slow down" without a time closes the bucket for this long, ms. */
const DEFAULT_PAUSE_MS = 1_000;
/** More seconds than anybody waits: a date. */
const SECONDS_ARE_A_DATE = 1_000_000_000;

/** Waits until the provider's limits have room, and keeps everybody out for as long as the provider asks. */
export class RateLimitInterceptor implements Interceptor {
  private readonly queues = new Map<string, LimitQueue>();

  constructor(
    private readonly store: LimitStore,
    private readonly clock: Clock,
    private readonly options: Partial<LimitQueueOptions> = {},
  ) {}

  intercept(call: Call, next: Next): Promise<Response> {
    const buckets = bucketsOf(call);
    const { key } = call.provider;
    const startedAt = this.clock.now();
    const waits = this.queueOf(key).enter({
      provider: key,
      account: call.connection?.id ?? accountOf(call) ?? '',
      buckets,
      signal: call.signal,
      deadlineAt: call.deadlineAt,
    });
    if (!waits) return this.sent(call, next, buckets);
    return waits.then(() => {
      const waitedMs = this.clock.now() - startedAt;
      if (waitedMs > 0) limiterWaitSeconds.observe({ provider: key }, waitedMs / 1000);
      return this.sent(call, next, buckets);
    });
  }

  private sent(call: Call, next: Next, buckets: readonly Bucket[]): Promise<Response> {
    return next(call).then(
      (response) => {
        const usedUpMs = usedUpFor(response.headers, this.clock.now(), call.provider.http.limitHeaders);
        const closed = usedUpMs > 0 ? this.store.close(buckets.slice(0, 1), usedUpMs) : undefined;
        return closed ? closed.then(() => response) : response;
      },
      async (error: unknown) => {
        const pauseMs = pauseOf(error);
        if (pauseMs !== undefined)
          await this.store.close(
            buckets.filter(({ closes }) => closes),
            pauseMs,
          );
        throw error;
      },
    );
  }

  private queueOf(provider: string): LimitQueue {
    let queue = this.queues.get(provider);
    if (!queue) this.queues.set(provider, (queue = new LimitQueue(this.store, this.clock, this.options)));
    return queue;
  }
}

/**
 * Where a successful answer says that it was the last one allowed for now: until when. Seconds to go, or seconds since 1970, as some send.
 * https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-07.html
 */
function usedUpFor(headers: Pick<Headers, 'get'>, now: number, declared?: HttpFacts['limitHeaders']): number {
  if (declared) {
    const reset = Number(headers.get(declared.reset) ?? Number.NaN) * (declared.as.endsWith('ms') ? 1 : 1000);
    if (Number(headers.get(declared.remaining) ?? Number.NaN) > 0 || !headers.get(declared.remaining) || !(reset > 0)) return 0;
    return capped(declared.as.startsWith('epoch') ? reset - now : reset);
  }
  const remaining = headers.get('x-ratelimit-remaining') ?? headers.get('ratelimit-remaining');
  if (remaining?.trim() !== '0') return 0;
  const reset = Number(headers.get('x-ratelimit-reset') ?? headers.get('ratelimit-reset') ?? Number.NaN);
  if (!Number.isFinite(reset) || reset <= 0) return 0;
  return capped(reset > SECONDS_ARE_A_DATE ? reset * 1000 - now : reset * 1000);
}

/** How long the provider's answer asks everybody of this bucket to stay away. */
function pauseOf(error: unknown): number | undefined {
  if (!(error instanceof AnswerError)) return undefined;
  if (error.code === 'provider_rate_limited') return error.retryAfterMs ?? DEFAULT_PAUSE_MS;
  return error.code === 'provider_unavailable' ? error.retryAfterMs : undefined;
}
