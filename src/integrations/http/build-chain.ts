import type { Clock } from '../../clock';
import { BulkheadInterceptor } from './bulkhead.interceptor';
import type { CircuitStates } from './circuit-states';
import { CircuitBreakerInterceptor } from './circuit-breaker.interceptor';
import { DeadlineInterceptor } from './deadline.interceptor';
import { GovernedChain } from './governed-chain';
import type { LimitStore } from './limits/limit-store';
import { LogInterceptor } from './log.interceptor';
import type { Random } from './random';
import { RateLimitInterceptor } from './rate-limit.interceptor';
import type { RequestLogWriter } from './request-log-writer';
import { RetryInterceptor } from './retry.interceptor';
import type { Transport } from './transport';

export interface ChainDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<RequestLogWriter, 'add'>;
  readonly circuits: CircuitStates;
  readonly limits: LimitStore;
  readonly transport: Transport;
}

/** The order of the steps. The auth step is set in between for each connection: a call waits for its limit first, then takes a token. */
export function buildChain({ clock, random, log, circuits, limits, transport }: ChainDependencies): GovernedChain {
  return new GovernedChain({
    outer: [
      new LogInterceptor(log, clock),
      new DeadlineInterceptor(clock),
      new RetryInterceptor(clock, random),
      new CircuitBreakerInterceptor(circuits),
      new RateLimitInterceptor(limits, clock),
    ],
    inner: [new BulkheadInterceptor()],
    transport: (call) => transport.send(call),
  });
}
