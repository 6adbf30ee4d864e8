import type { Clock } from '../../clock';
import { inSpan, isTraced, SpanKind, traceHeaders } from '../../tracing';
import { BulkheadInterceptor } from './policies/bulkhead.interceptor';
import type { Call } from './call';
import type { CircuitStates } from './policies/circuit-states';
import { CircuitBreakerInterceptor } from './policies/circuit-breaker.interceptor';
import { DeadlineInterceptor } from './policies/deadline.interceptor';
import { GovernedChain } from './governed-chain';
import type { LimitStore } from './policies/limits/limit-store';
import { LogInterceptor } from './request-log/log.interceptor';
import type { Random } from './random';
import { RateLimitInterceptor } from './policies/rate-limit.interceptor';
import type { RequestLogWriter } from './request-log/request-log-writer';
import { RetryInterceptor } from './policies/retry.interceptor';
import type { Transport } from './transport/transport';

export interface ChainDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<RequestLogWriter, 'add'>;
  readonly circuits: CircuitStates;
  readonly limits: LimitStore;
  readonly transport: Transport;
}

function spanOf({ provider, endpoint, request }: Call) {
  const attributes = {
    'http.request.method': request.method,
    'server.address': request.url.hostname,
    'url.template': endpoint.template,
    'trestle.provider': provider.key,
  };
  return { kind: SpanKind.CLIENT, attributes };
}

function traced(call: Call): Call {
  for (const [name, value] of Object.entries(traceHeaders())) call.request.headers.set(name, value);
  return call;
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
    // Each try is a span: what was waited for between them is the call's.
    transport: (call) =>
      isTraced()
        ? inSpan(`${call.provider.key} ${call.request.method}`, spanOf(call), () => transport.send(traced(call)))
        : transport.send(call),
  });
}
