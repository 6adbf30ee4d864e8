import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestContext, traceIdOf } from '../../request-context';
import { CLIENT_GONE, requestSpan, type RequestSpan } from '../../tracing';
import type { BearerCallers } from '../principal/bearer-callers';
import type { EdgeRequest } from '../request';
import { ownRoute } from './base-path';
import { countedBody, type BodyBudget } from './body-budget';
import type { CrossOrigin } from './cross-origin';
import type { RequestRules } from './request-rules';

export interface HookParts {
  readonly rules: RequestRules;
  readonly bearers: Pick<BearerCallers, 'of'>;
  readonly crossOrigin: Pick<CrossOrigin, 'admit'>;
  readonly bodies: BodyBudget;
  /** Whose requests they hold for. */
  readonly owns: (request: FastifyRequest) => boolean;
}

const spans = new WeakMap<FastifyRequest, RequestSpan>();

/** The rules of every request, for those that Fastify answers, whether a route matches or not. */
export function registerEdgeHooks(fastify: FastifyInstance, { rules, bearers, crossOrigin, bodies, owns }: HookParts): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!owns(request)) return done();
    reply.headers(rules.headers(request.id));
    const span = requestSpan(request.headers);
    spans.set(request, span);
    const traceId = span.traceId ?? traceIdOf(request.headers.traceparent);
    const context = { requestId: request.id, address: request.ip, ...(traceId && { traceId }) };
    const admit = () => {
      try {
        rules.admit({ route: routeOf(request), address: request.ip, rawHeaders: request.raw.rawHeaders });
      } catch (error) {
        return done(error as Error);
      }
      return done();
    };
    requestContext.run(context, () => span.within(admit));
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    if (!crossOrigin.admit(request, reply)) done();
  });

  // All of the API is for callers with a token. Whoever has none is not listened to any longer than the headers took.
  fastify.addHook('onRequest', async (request, reply) => {
    if (!routeOf(request)?.startsWith('/v1/') || !owns(request)) return;
    try {
      await bearers.of(request as EdgeRequest);
    } catch (error) {
      if (hasBody(request)) void reply.header('connection', 'close');
      throw error;
    }
  });

  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (!hasBody(request) || !owns(request)) return done(null, payload);
    try {
      // What is longer than the route takes is refused for that.
      const stated = Number(request.headers['content-length'] ?? 0);
      const body = bodies.open(stated > request.routeOptions.bodyLimit ? 0 : stated);
      reply.raw.once('close', () => body.release());
      const counted = countedBody(body);
      counted.once('error', () => void reply.header('connection', 'close'));
      payload.once('error', (error) => counted.destroy(error));
      return done(null, payload.pipe(counted));
    } catch (error) {
      void reply.header('connection', 'close');
      return done(error as Error);
    }
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    if (!owns(request)) return done();
    const span = spans.get(request);
    const route = routeOf(request) ?? 'unknown';
    span?.end(request.method, route, reply.statusCode);
    const traceId = span?.traceId ?? traceIdOf(request.headers.traceparent);
    rules.answered({
      requestId: request.id,
      ...(traceId && { traceId }),
      method: request.method,
      route,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
      address: request.ip,
    });
    done();
  });

  fastify.addHook('onRequestAbort', (request, done) => {
    if (!owns(request)) return done();
    const route = routeOf(request) ?? 'unknown';
    spans.get(request)?.end(request.method, route, CLIENT_GONE);
    rules.givenUp({ requestId: request.id, method: request.method, route });
    done();
  });
}

/** As if there were no base path: rules, log and metrics are the same wherever Trestle lies. */
function routeOf(request: FastifyRequest): string | undefined {
  return ownRoute(request as EdgeRequest);
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
