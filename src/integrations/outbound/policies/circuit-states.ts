import type { Clock } from '../../../clock';
import { CircuitBreaker, type CircuitBreakerOptions, type CircuitState } from './circuit-breaker';
import type { Random } from '../random';

/** The circuits of this process, one per provider and purpose; their states are for health to read. */
export class CircuitStates {
  private readonly breakers = new Map<string, CircuitBreaker>();

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly options: Partial<CircuitBreakerOptions> = {},
  ) {}

  /** State of the provider's API circuit as this process sees it. */
  of(provider: string): CircuitState {
    return this.breakers.get(`${provider} api`)?.state ?? 'closed';
  }

  /** Providers that this process has called. */
  seen(): string[] {
    return [...this.breakers.keys()].filter((key) => key.endsWith(' api')).map((key) => key.slice(0, -' api'.length));
  }

  /** A token call has a circuit of its own: the probe of the API's may need one to go through. */
  breaker(provider: string, purpose: 'api' | 'token'): CircuitBreaker {
    const key = `${provider} ${purpose}`;
    let breaker = this.breakers.get(key);
    if (!breaker) this.breakers.set(key, (breaker = new CircuitBreaker(this.clock, this.random, this.options)));
    return breaker;
  }
}
