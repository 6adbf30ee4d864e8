import { IntegrationError, type ErrorCode } from '../../../errors';
import type { Call } from '../call';
import type { CircuitState, Verdict } from './circuit-breaker';
import type { CircuitStates } from './circuit-states';
import { circuitState } from '../outbound-metrics';
import type { Interceptor, Next } from '../interceptor';

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
  'connection_altered',
  'shutting_down',
  'provider_misconfigured',
  'organization_forbids',
  'refresh_refused',
  'response_too_large',
  'provider_bad_answer',
]);

const STATE_VALUE: Readonly<Record<CircuitState, number>> = { closed: 0, half_open: 1, open: 2 };

export class CircuitBreakerInterceptor implements Interceptor {
  private readonly told = new Map<string, CircuitState>();

  constructor(private readonly circuits: CircuitStates) {}

  intercept(call: Call, next: Next): Promise<Response> {
    const sentBefore = call.record.tries.length;
    const breaker = this.circuits.breaker(call.provider.key, call.purpose);
    const judge = breaker.enter(call.provider.key);
    const leave = (verdict: Verdict) => {
      judge(verdict);
      if (call.purpose === 'api') this.tell(call.provider.key, breaker.state);
    };
    return next(call).then(
      (response) => {
        leave('alive');
        return response;
      },
      (error: unknown) => {
        leave(call.record.tries.length > sentBefore ? verdictOf(error) : 'neutral');
        throw error;
      },
    );
  }

  private tell(provider: string, state: CircuitState): void {
    if (this.told.get(provider) === state) return;
    this.told.set(provider, state);
    circuitState.set({ provider }, STATE_VALUE[state]);
  }
}

function verdictOf(error: unknown): Verdict {
  if (!(error instanceof IntegrationError) || SAYS_NOTHING.has(error.code)) return 'neutral';
  return FAILED.has(error.code) ? 'failed' : 'alive';
}
