import type { Logger as Pino } from 'pino';
import { IntegrationError } from '../../errors';
import type { EdgeLimits } from './edge-limits';
import type { Drain } from './drain';
import { observeRequest } from './http-metrics';

/** Routes with a closer bound of their own: the inbox's for deliveries, the caller's bucket for the API. */
const OWN_BOUND = /^\/(webhooks|v1)\//;

const DELIVERIES = '/webhooks/';
/** What a process that only works answers: whoever watches over it. */
const WATCHING = /^\/(health\/|metrics$)/;

export interface EdgeParts {
  readonly logger: Pino;
  readonly limits: EdgeLimits;
  readonly drain: Drain;
  /** Whether the routes are served; without, those that watch over the process are alone. */
  readonly serves: boolean;
  /** What a browser is told with every answer. */
  readonly securityHeaders: () => Readonly<Record<string, string>>;
}

export interface ArrivedRequest {
  /** The template; undefined where no route matches. */
  readonly route: string | undefined;
  readonly address: string;
  readonly rawHeaders: readonly string[];
}

export interface AnsweredRequest {
  readonly requestId: string;
  readonly traceId?: string;
  readonly method: string;
  /** The template, never the address: a query may hold a token, a path somebody's id. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Where it came from; for the limits, not for the log. */
  readonly address: string;
}

/** What holds for every request, whether Fastify answers it or the fast path of plain deliveries: both ways call this and add nothing. */
export class RequestRules {
  constructor(private readonly parts: EdgeParts) {}

  /** Of every answer. */
  headers(requestId: string): Record<string, string> {
    // Once the process is told to stop, the next request goes to another one.
    return { ...this.parts.securityHeaders(), 'x-request-id': requestId, ...(this.parts.drain.started && { connection: 'close' }) };
  }

  /** @throws IntegrationError for a request that may not come in */
  admit({ route, address, rawHeaders }: ArrivedRequest): void {
    // Node keeps the first of several; who stands before us may have read another (RFC 9112, 3.2).
    if (hostsIn(rawHeaders) > 1) throw new IntegrationError('invalid_request', { detail: 'There is more than one Host.' });
    if (!this.parts.serves && route !== undefined && !WATCHING.test(route))
      throw new IntegrationError('not_found', {
        detail: 'This process works and serves nothing but health and metrics.',
        nextStep: 'Ask a process with ROLE=api or ROLE=all.',
      });
    if (this.parts.drain.started && route === '/health/ready') throw new IntegrationError('shutting_down', { retryAfterMs: 1_000 });
    if (route === undefined || !OWN_BOUND.test(route)) this.parts.limits.countAddress(address);
    else this.parts.limits.countArrival(address);
    if (route?.startsWith(DELIVERIES)) this.parts.limits.admitDelivery(address);
  }

  /** A line in the log and a metric for each answer. */
  answered({ address, ...answer }: AnsweredRequest): void {
    const { logger, limits } = this.parts;
    const { method, route, status, durationMs } = answer;
    observeRequest({ method, route, status, seconds: durationMs / 1_000 });
    if (method === 'POST' && route.startsWith(DELIVERIES) && (status < 300 || status === 401)) limits.countDelivery(address, status < 300);
    // A line for each delivery and probe would drown the others.
    const level = status < 400 && /^\/(webhooks|health|metrics)/.test(route) ? 'debug' : 'info';
    if (logger.isLevelEnabled(level)) logger[level]({ ...answer, durationMs: Math.round(durationMs * 10) / 10 }, 'request');
  }

  givenUp(request: Pick<AnsweredRequest, 'requestId' | 'method' | 'route'>): void {
    this.parts.logger.debug(request, 'request given up by the client');
  }
}

function hostsIn(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
