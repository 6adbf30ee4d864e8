import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Principal } from './http-api/principal/principal';

/** What every log line of a request carries. */
export interface RequestContext {
  readonly requestId: string;
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

/**
 * The organization whose rows alone the statements of the request in hand reach; undefined for an operator, for what the service does by
 * itself, and where nobody calls.
 */
export function tenantInHand(): string | undefined {
  const { principal, asService } = requestContext.getStore() ?? {};
  return asService || principal?.role === 'operator' ? undefined : principal?.tenant;
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
