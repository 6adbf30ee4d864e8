import type { FastifyRequest } from 'fastify';
import type { Caller, SessionCaller } from './caller';

/** What the edge learns of a request on its way in. */
export interface EdgeRequest extends FastifyRequest {
  /** Set by the guard; absent on public routes. */
  caller?: Caller | SessionCaller;
  /** The bytes as they came: webhooks and the proxy. */
  rawBody?: Buffer;
}
