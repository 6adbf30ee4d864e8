import { IntegrationError, type ErrorCode } from '../../errors';
import type { Call } from './call';
import type { Verdict } from './circuit-breaker';
import type { CircuitStates } from './circuit-states';
import type { Interceptor, Next } from './interceptor';

/** Only what is the provider's side: never a refusal, which shows that it is alive. */
const FAILED: ReadonlySet<ErrorCode> = new Set(['provider_unavailable', 'provider_timeout']);
/** Never reached the provider, or was stopped by us. */
const SAYS_NOTHING: ReadonlySet<ErrorCode> = new Set([
  'cancelled',
  'busy',
  'circuit_open',
  'destination_refused',
  'not_connected',
  'refresh_interrupted',
  'internal_error',
  'storage_unavailable',
  'decryption_failed',
  'shutting_down',
  'provider_misconfigured',
  'response_too_large',
  'provider_bad_answer',
]);

export class CircuitBreakerInterceptor implements Interceptor {
  constructor(private readonly circuits: CircuitStates) {}

  async intercept(call: Call, next: Next): Promise<Response> {
    const sentBefore = call.record.tries.length;
    const leave = this.circuits.breaker(call.provider.key, call.purpose).enter(call.provider.key);
    try {
      const response = await next(call);
      leave('alive');
      return response;
    } catch (error) {
      leave(call.record.tries.length > sentBefore ? verdictOf(error) : 'neutral');
      throw error;
    }
  }
}

function verdictOf(error: unknown): Verdict {
  if (!(error instanceof IntegrationError) || SAYS_NOTHING.has(error.code)) return 'neutral';
  return FAILED.has(error.code) ? 'failed' : 'alive';
}
