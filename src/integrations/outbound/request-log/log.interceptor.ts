import type { Counter, Histogram } from 'prom-client';
import type { Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import type { Call, Try } from '../call';
import { requestSeconds, requestsTotal } from '../outbound-metrics';
import type { Interceptor, Next } from '../interceptor';
import type { RequestLogEntry, RequestLogWriter } from './request-log-writer';

/** Writes down every try of the call when it has ended: names and numbers, never a query, a header or a body. */
export class LogInterceptor implements Interceptor {
  constructor(
    private readonly writer: Pick<RequestLogWriter, 'add'>,
    private readonly clock: Clock,
  ) {}

  intercept(call: Call, next: Next): Promise<Response> {
    const startedAt = this.clock.now();
    return next(call).then(
      (response) => {
        this.write(call, call.record.tries);
        return response;
      },
      (error: unknown) => {
        const { tries } = call.record;
        this.write(call, tries.length > 0 ? tries : [notSent(error, startedAt, this.clock.now())]);
        throw error;
      },
    );
  }

  private write(call: Call, tries: readonly Try[]): void {
    const { connection, app, options } = call;
    const provider = call.provider.key;
    for (const each of tries) {
      count(provider, each);
      this.writer.add({
        at: each.at,
        provider,
        tenant: connection?.tenant ?? app?.tenant,
        connectionId: connection?.id,
        method: call.request.method,
        endpoint: call.endpoint.template,
        status: each.status,
        outcome: each.outcome,
        errorCode: each.errorCode,
        providerCode: each.providerCode,
        attempt: each.attempt,
        durationMs: each.durationMs,
        requestId: each.requestId,
        operation: options.operation,
        counts: countsAs(each),
      });
    }
  }
}

const children = new Map<string, { total: Counter.Internal; seconds: Histogram.Internal<'provider'> }>();

/** The metrics' children are looked up once: finding one by its labels costs more than counting. */
function count(provider: string, { outcome, durationMs }: Try): void {
  const key = `${provider} ${outcome}`;
  let child = children.get(key);
  if (!child) children.set(key, (child = { total: requestsTotal.labels(provider, outcome), seconds: requestSeconds.labels(provider) }));
  child.total.inc();
  if (outcome !== 'not_sent') child.seconds.observe(durationMs / 1000);
}

/**
 * A refusal of the request shows a provider in good health. A token that it no longer takes is renewed, or its connection is shown
 * as lost: either way it says nothing about the provider. What an open circuit holds back fails because the provider does, for
 * whomever it is held back: those whose calls opened it are not the only ones whom the outage hits.
 */
function countsAs({ outcome, errorCode }: Try): RequestLogEntry['counts'] {
  switch (outcome) {
    case 'ok':
    case 'rejected':
      return 'ok';
    case 'server_error':
    case 'network_error':
    case 'timeout':
      return 'server_error';
    case 'rate_limited':
    case 'bad_answer':
      return 'failed';
    case 'not_sent':
      return errorCode === 'circuit_open' ? 'server_error' : 'nothing';
    case 'unauthorized':
    case 'cancelled':
      return 'nothing';
  }
}

function notSent(error: unknown, at: number, now: number): Try {
  return {
    attempt: 0,
    at,
    durationMs: now - at,
    outcome: 'not_sent',
    errorCode: error instanceof IntegrationError ? error.code : 'internal_error',
  };
}
