import type { FastifyRequest } from 'fastify';
import type { Principal, SessionPrincipal } from './principal/principal';

/** What the edge learns of a request on its way in. */
export interface EdgeRequest extends FastifyRequest {
  /** Set by the guard; absent on public routes. */
  caller?: Principal | SessionPrincipal;
  /** The bytes as they came: webhooks and the proxy. */
  rawBody?: Buffer;
}
