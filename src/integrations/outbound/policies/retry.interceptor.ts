import { backOffMs } from '../../../back-off';
import type { Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import type { Call } from '../call';
import { retriesTotal } from '../outbound-metrics';
import type { Interceptor, Next } from '../interceptor';
import { inDoubt } from '../answer-error';
import type { Random } from '../random';
import { mayRetry, RETRY_DEFAULTS } from './retry-policy';

/** Answers about the request itself: an earlier, doubtful try of the same repeatable call does not make them doubtful. */
const DEFINITE = new Set([
  'provider_rejected',
  'provider_not_found',
  'provider_conflict',
  'provider_forbidden',
  'missing_scope',
  'card_declined',
  'not_supported',
  'sync_cursor_expired',
]);

export class RetryInterceptor implements Interceptor {
  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  intercept(call: Call, next: Next): Promise<Response> {
    return next(call).catch((failure: unknown) => this.again(call, next, failure));
  }

  /** Tries again for as long as that is allowed and can help; `failure` is that of the first try. */
  private async again(call: Call, next: Next, failure: unknown): Promise<Response> {
    const policy = { ...RETRY_DEFAULTS, ...call.provider.http.retry };
    let doubtful = false;
    for (let attempt = 1; ; attempt++) {
      const error = failure instanceof IntegrationError ? failure : new IntegrationError('internal_error', { cause: failure });
      const last = doubtful && error.notExecuted && !DEFINITE.has(error.code) ? inDoubt(error) : error;
      // A first try that may have been carried out stays in doubt, although the last one certainly was not.
      doubtful ||= !error.notExecuted;
      if (!mayRetry({ error, attempt, repeatable: call.repeatable }, policy)) throw last;
      const askedMs = error.retryAfterMs ?? 0;
      const waitMs = askedMs + backOffMs(attempt, { firstMs: policy.baseMs, maxMs: policy.maxMs, jitter: 1 }, this.random());
      // A wait that cannot fit is not begun: the caller learns now when to come again.
      if (askedMs > policy.maxRetryAfterMs || this.clock.now() + waitMs >= call.deadlineAt) throw last;
      retriesTotal.inc({ provider: call.provider.key });
      call.options.onWait?.(error, waitMs);
      await this.clock.sleep(waitMs, call.signal).catch(() => {
        throw last;
      });
      try {
        return await next({ ...call, attempt: attempt + 1 });
      } catch (cause) {
        failure = cause;
      }
    }
  }
}
