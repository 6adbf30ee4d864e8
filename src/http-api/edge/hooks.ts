import type { FastifyInstance } from 'fastify';
import { requestContext, traceIdOf } from '../request-context';
import type { RequestRules } from './request-rules';

/** The rules of every request, for those that Fastify answers, whether a route matches or not. */
export function registerEdgeHooks(fastify: FastifyInstance, rules: RequestRules): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(rules.headers(request.id));
    const traceId = traceIdOf(request.headers.traceparent);
    requestContext.run({ requestId: request.id, address: request.ip, ...(traceId && { traceId }) }, () => {
      try {
        rules.admit({ route: request.routeOptions.url, address: request.ip, rawHeaders: request.raw.rawHeaders });
      } catch (error) {
        return done(error as Error);
      }
      return done();
    });
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    const traceId = traceIdOf(request.headers.traceparent);
    rules.answered({
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
    rules.givenUp({ requestId: request.id, method: request.method, route: request.routeOptions.url ?? 'unknown' });
    done();
  });
}
