import type { FastifyInstance } from 'fastify';
import type { Logger as Pino } from 'pino';
import { IntegrationError } from '../../errors';
import type { Drain } from './drain';
import type { EdgeLimits } from './address-limits';
import { observeRequest } from './http-metrics';
import { requestContext, traceIdOf } from '../request-context';

/** Routes with a bound of their own: the inbox's for deliveries, the caller's bucket for the API. */
const OWN_BOUND = /^\/(webhooks|v1)\//;

export interface EdgeHooks {
  readonly logger: Pino;
  readonly limits: EdgeLimits;
  readonly drain: Drain;
}

/** What happens to every request, whether a route matches or not: an id, a bound by address, a line in the log, a metric. */
export function registerEdgeHooks(fastify: FastifyInstance, { logger, limits, drain }: EdgeHooks): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    const traceId = traceIdOf(request.headers.traceparent);
    const route = request.routeOptions.url;
    requestContext.run({ requestId: request.id, ...(traceId && { traceId }) }, () => {
      try {
        // Node keeps the first of several; who stands before us may have read another (RFC 9112, 3.2).
        if (hostsIn(request.raw.rawHeaders) > 1) throw new IntegrationError('invalid_request', { detail: 'There is more than one Host.' });
        if (drain.started) {
          reply.header('connection', 'close'); // the next request goes to another process
          if (route === '/health/ready') throw new IntegrationError('shutting_down', { retryAfterMs: 1_000 });
        }
        if (route === undefined || !OWN_BOUND.test(route)) limits.countAddress(request.ip);
      } catch (error) {
        return done(error as Error);
      }
      return done();
    });
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    const traceId = traceIdOf(request.headers.traceparent);
    noteAnswer(logger, {
      requestId: request.id,
      ...(traceId && { traceId }),
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
    done();
  });

  fastify.addHook('onRequestAbort', (request, done) => {
    logger.debug(
      { requestId: request.id, method: request.method, route: request.routeOptions.url ?? 'unknown' },
      'request given up by the client',
    );
    done();
  });
}

export interface Answered {
  readonly requestId: string;
  readonly traceId?: string;
  readonly method: string;
  /** The template, never the address: a query may hold a token, a path somebody's id. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** A line in the log and a metric for each answer. */
export function noteAnswer(logger: Pino, answered: Answered): void {
  const { method, route, status, durationMs } = answered;
  observeRequest({ method, route, status, seconds: durationMs / 1_000 });
  // A line for each delivery and probe would drown the others.
  const level = status < 400 && /^\/(webhooks|health|metrics)/.test(route) ? 'debug' : 'info';
  if (logger.isLevelEnabled(level)) logger[level]({ ...answered, durationMs: Math.round(durationMs * 10) / 10 }, 'request');
}

/** Hosts that a request names. */
export function hostsIn(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
