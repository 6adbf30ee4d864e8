import { Logger } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Principal } from './http-api/principal/principal';
import { LostContextError } from './lost-context-error';

/** What every log line of a request carries, and for whom statements are made. Work of the service outside of a request has the last mark alone. */
export interface RequestContext {
  readonly requestId?: string;
  /** Of the caller's trace, where it sent one (https://www.w3.org/TR/trace-context/). */
  readonly traceId?: string;
  /** The caller's address. */
  readonly address?: string;
  /** Who is calling, once it is known. */
  principal?: Principal;
  /** What is done now is the service's own, for whoever it may be: `asService`. */
  readonly asService?: true;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();

const logger = new Logger('Database');

/**
 * The organization whose rows alone the statements of the request in hand reach; undefined for an operator, for what the service does by
 * itself (`asService`), and in a request of which nobody knows yet who calls.
 * @throws LostContextError outside of all of these
 */
export function tenantInHand(): string | undefined {
  const context = requestContext.getStore();
  if (!context) throw lost();
  const { principal, asService } = context;
  return asService || principal?.role === 'operator' ? undefined : principal?.tenant;
}

/** Logged here as well: many a caller goes on without what it asked for. */
function lost(): LostContextError {
  const error = new LostContextError();
  logger.error(error);
  return error;
}

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's own id where it is one that is safe to log and to send back, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

export function traceIdOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined;
}
