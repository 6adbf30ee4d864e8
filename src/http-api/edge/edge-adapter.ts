import fastifyCookie from '@fastify/cookie';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { registerBodyParsers } from './body-parsers';
import { problemOf, PROBLEM_JSON } from '../problems/problem';
import { requestIdOf } from '../../request-context';
import { callerAddresses } from './caller-address';
import { PlainDeliveries } from './plain-deliveries';
import { limitSockets } from './socket-limits';

/** Where Nest keeps what `@RouteConfig` says. */
const ROUTE_CONFIG = '__fastify_route_config__';
const MIB = 1024 * 1024;
const LIMITS = { bodyBytes: MIB, proxyBytes: 10 * MIB, headerBytes: 16 * 1024, paramLength: 512 };
/** A backend keeps a few dozen open, a browser six. */
const SOCKETS = { total: 10_000, perAddress: 2_000 };
const TIMES = {
  /** A socket on which nothing moves. */
  idleMs: 120_000,
  /** The whole request must have come by then, its headers sooner. */
  requestMs: 30_000,
  headersMs: 10_000,
  checkEveryMs: 5_000,
  /** Longer than a load balancer's usual 60 s, so that it is not us who close under its request. */
  keepAliveMs: 65_000,
};

/** Fastify, set up for strangers on the other side. Plain deliveries are taken before it, once their way is open. The settings are those that a server has to know before Nest makes anything. */
export class EdgeAdapter extends FastifyAdapter {
  constructor(
    settings: Pick<Settings, 'trustedProxies' | 'publicUrl'>,
    readonly plainDeliveries = new PlainDeliveries(),
    /** What stands before all of it. */
    before: (edge: RequestListener) => RequestListener = (edge) => edge,
  ) {
    super({
      logger: false,
      skipMiddie: true,
      trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
      genReqId: (request: { headers: Record<string, string | string[] | undefined> }) => requestIdOf(request.headers['x-request-id']),
      requestIdHeader: false,
      bodyLimit: LIMITS.bodyBytes,
      routerOptions: { maxParamLength: LIMITS.paramLength },
      onProtoPoisoning: 'error',
      onConstructorPoisoning: 'error',
      forceCloseConnections: 'idle',
      return503OnClosing: true,
      clientErrorHandler: answerUnreadable,
      serverFactory: (handler: RequestListener) => {
        const server = serverOf(before(plainDeliveries.before(handler)));
        limitSockets(server, { ...SOCKETS, isTrusted: callerAddresses(settings.trustedProxies).isTrusted });
        return server;
      },
      // The reply's type is Fastify's for any route; Nest's options know it for some only.
      frameworkErrors: (cause: FastifyError, request: { id: string }, reply: unknown) =>
        answerUnroutable(reply as FastifyReply, { cause, requestId: request.id, publicUrl: settings.publicUrl }),
    });
  }

  /** Nest's adapter forgets what is configured of a route that takes all methods. */
  override all(...args: unknown[]): unknown {
    const handler = args.at(-1) as object;
    if (args.length < 2 || !Reflect.hasMetadata(ROUTE_CONFIG, handler)) return super.all(...(args as Parameters<FastifyAdapter['all']>));
    const [path, handle] = args as Parameters<FastifyAdapter['get']>;
    for (const method of ['get', 'post', 'put', 'patch', 'delete', 'options'] as const) this[method](path, handle);
    return undefined;
  }
}

/** Fastify leaves the limits of a server that it did not make to its maker. */
function serverOf(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: TIMES.headersMs,
      requestTimeout: TIMES.requestMs,
      keepAliveTimeout: TIMES.keepAliveMs,
      connectionsCheckingInterval: TIMES.checkEveryMs,
      maxHeaderSize: LIMITS.headerBytes,
    },
    listener,
  );
  server.setTimeout(TIMES.idleMs);
  server.maxRequestsPerSocket = 100_000;
  return server;
}

/** Parsers and cookies. Before `app.init()`. */
export async function registerEdgePlugins(
  fastify: FastifyInstance,
  { webhookMaxBytes, basePath }: Settings,
  owns: (request: FastifyRequest) => boolean,
): Promise<void> {
  registerBodyParsers(fastify, { webhookMaxBytes, proxyMaxBytes: LIMITS.proxyBytes, basePath, owns });
  await fastify.register(fastifyCookie);
}

/** An address that the router cannot read (`%zz`), or whose parts are too long: no hook of ours has seen it. */
function answerUnroutable(
  reply: FastifyReply,
  { cause, requestId, publicUrl }: { cause: unknown; requestId: string; publicUrl: string },
): void {
  const error = new IntegrationError('invalid_request', { detail: 'The address cannot be read.', cause });
  const problem = problemOf(error, requestId, publicUrl);
  void reply
    .status(problem.status)
    .headers({ 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    .type(PROBLEM_JSON)
    .send(JSON.stringify(problem));
}

/** What is not even HTTP, too long in its headers, or too slow. There is no request yet, so the bytes are written by hand. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const body = JSON.stringify({
    ...problemOf(new IntegrationError('invalid_request'), requestIdOf(undefined)),
    status: Number(status.slice(0, 3)),
  });
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${PROBLEM_JSON}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
