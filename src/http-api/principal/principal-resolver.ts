import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from './principal';

export interface ResolvedCaller {
  readonly caller: Principal;
  /** When the caller's sign-in ends, ms since the epoch: sessions and streams that are opened by it end then. */
  readonly expiresAt: number;
}

/**
 * Says of a call below `/v1` whom it is from, for an application that knows its users by itself. Undefined: not by this; a bearer token
 * is looked for. What a browser sends by itself (a cookie) must not be enough for a call that changes something: check the origin, or a
 * token against forgery, as well.
 *
 * @throws IntegrationError `unauthorized` to refuse
 */
export interface PrincipalResolver {
  resolve(headers: IncomingHttpHeaders): Promise<ResolvedCaller | undefined> | ResolvedCaller | undefined;
}

export const PRINCIPAL_RESOLVER = Symbol('PrincipalResolver');

/** How the resolver is made of what other injectables give. */
export interface AsyncPrincipals
  extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<PrincipalResolver | null>, 'inject' | 'useFactory'> {}
