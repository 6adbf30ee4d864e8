import type { FastifyRequest } from 'fastify';
import type { Principal, SessionPrincipal } from './principal/principal';

/** What the edge learns of a request on its way in. */
export interface EdgeRequest extends FastifyRequest {
  /** Set by the guard; absent on public routes. */
  caller?: Principal | SessionPrincipal;
  /** Whose token it is; known before the body is read. The guard decides what it opens. */
  bearer?: Principal;
  /** When the caller's token ends, ms since the epoch; set where it came with one. */
  callerEndsAt?: number;
  /** Whether the caller's token still opens anything, for what goes on for long; set where a token can be ended before its time. */
  callerGoesOn?: () => Promise<boolean>;
  /** The bytes as they came: webhooks and the proxy. */
  rawBody?: Buffer;
  /** Where all of Trestle's addresses lie below a path: that; else empty. */
  readonly basePath: string;
}
