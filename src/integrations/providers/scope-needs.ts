import { Injectable } from '@nestjs/common';
import type { ConnectionRef } from '../contract';
import { ProviderRegistry } from './provider-registry';

/** What something needs of a consent. */
export interface ScopeNeed {
  /** All of them are needed. */
  readonly scopes?: readonly string[];
  /** Wider scopes that do as well as one of `scopes`. */
  readonly widerScopes?: Readonly<Record<string, readonly string[]>>;
}

/** A connection with what was consented for it. */
export type Consented = Pick<ConnectionRef, 'provider' | 'authType'> & { readonly scopes: readonly string[] };

/** Which scopes the operations and the resources of the providers need, and which of them a consent lacks. */
@Injectable()
export class ScopeNeeds {
  private readonly needs = new Map<string, ScopeNeed[]>();

  constructor(private readonly registry: ProviderRegistry) {}

  add(provider: string, need: ScopeNeed): void {
    this.needs.set(provider, [...(this.needs.get(provider) ?? []), need]);
  }

  /**
   * Scopes that something needs, that are asked for at every connect, and that the person did not give. What is asked for on demand only is not
   * missing. A provider that does not tell what was given, and a key, lack nothing that is known here.
   */
  missing(connection: Consented): string[] {
    const provider = this.registry.find(connection.provider);
    const asked = provider?.oauth2?.scopes ?? [];
    const needs = [...(this.needs.get(connection.provider) ?? []), ...(provider?.sync?.resources ?? [])];
    const missing = needs.flatMap((need) => missingScopesOf(need, connection)).filter((scope) => asked.includes(scope));
    return [...new Set(missing)];
  }
}

/** Those of what it needs that a connection is known to lack. */
export function missingScopesOf({ scopes = [], widerScopes = {} }: ScopeNeed, { authType, scopes: given }: Consented): string[] {
  if (authType !== 'oauth2' || given.length === 0) return [];
  return scopes.filter((scope) => ![scope, ...(widerScopes[scope] ?? [])].some((each) => given.includes(each)));
}
