import { Injectable } from '@nestjs/common';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import { mayManage, ownerOf, type ConnectionPolicy, type ConnectionViewer } from './connection-access';
import type { Connection, ConnectionStatus, ConnectionWithSync } from './connection';
import type { PartView } from './part-view';
import type { Provider } from '../contract';
import { isConsented, ScopeNeeds } from '../providers';

/** A connection as callers read it. */
export interface ConnectionView {
  readonly id: string;
  readonly provider: string;
  readonly owner: 'user' | 'organization';
  /** Null where it is the organization's. */
  readonly userId: string | null;
  /** Who of the organization uses and manages it; null where it is a person's. */
  readonly policy: ConnectionPolicy | null;
  /** Whether who asks may end it and connect it anew. */
  readonly mayManage: boolean;
  readonly status: ConnectionStatus;
  readonly connected: boolean;
  readonly account: { readonly id: string; readonly name: string };
  readonly scopes: readonly string[];
  /** What operations or resources need, is asked for at the connect, and was not given. Connecting anew asks for it. */
  readonly missingScopes: readonly string[];
  /** It works, and something of it cannot, since scopes are missing. */
  readonly partial: boolean;
  readonly lastSync: string | null;
  readonly syncInProgress: boolean;
  /** Of which something is to be told: they cannot be read, or are not read whole. Empty: all is read. */
  readonly parts: readonly PartView[];
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly nextStep: string } | null;
  readonly createdAt: string;
}

export interface ProviderView {
  readonly key: string;
  readonly name: string;
  readonly authType: 'oauth2' | 'api_key';
  readonly configured: boolean;
  readonly scopes: readonly string[];
  /** What to send as `fields` when connecting. */
  readonly ask?: Readonly<Record<string, { readonly label: string; readonly example: string; readonly secret: boolean }>>;
  /** Takes a key as `apiKey`. */
  readonly apiKey?: { readonly help: string };
  readonly capabilities: { readonly sync: boolean; readonly webhooks: boolean; readonly actions: boolean };
}

@Injectable()
export class ConnectionViews {
  constructor(private readonly scopeNeeds: ScopeNeeds) {}

  /** As the viewer reads it, who may see it. */
  of(viewer: ConnectionViewer, connection: Connection | ConnectionWithSync): ConnectionView {
    const missingScopes = this.scopeNeeds.missing(connection);
    const partial = connection.status === 'connected' && missingScopes.length > 0;
    return { ...viewOf(connection), mayManage: mayManage(viewer, connection), missingScopes, partial };
  }
}

function viewOf(connection: Connection | ConnectionWithSync): Omit<ConnectionView, 'mayManage' | 'missingScopes' | 'partial'> {
  const { error, usedBy, managedBy } = connection;
  const owner = ownerOf(connection);
  return {
    id: connection.id,
    provider: connection.provider,
    owner,
    userId: connection.userId || null,
    policy: owner === 'organization' ? { usedBy, managedBy } : null,
    status: connection.status,
    connected: connection.status === 'connected',
    account: { id: connection.accountId, name: connection.accountName },
    scopes: connection.scopes,
    lastSync: ('lastSync' in connection ? connection.lastSync?.toISOString() : null) ?? null,
    syncInProgress: 'syncInProgress' in connection && connection.syncInProgress,
    parts: 'parts' in connection ? connection.parts : [],
    error: error && { code: error.code, message: ERROR_KINDS[error.code].detail, nextStep: ERROR_KINDS[error.code].nextStep },
    createdAt: connection.createdAt.toISOString(),
  };
}

export function providerView(provider: Provider): ProviderView {
  return {
    key: provider.key,
    name: provider.name,
    authType: isConsented(provider.oauth2) ? 'oauth2' : 'api_key',
    configured: provider.configured,
    scopes: provider.oauth2?.scopes ?? [],
    ...(provider.ask && { ask: askedOf(provider.ask) }),
    ...(provider.apiKey && { apiKey: { help: provider.apiKey.help } }),
    capabilities: { sync: provider.sync !== undefined, webhooks: provider.webhooks !== undefined, actions: provider.actions.length > 0 },
  };
}

function askedOf(ask: NonNullable<Provider['ask']>): NonNullable<ProviderView['ask']> {
  return Object.fromEntries(Object.entries(ask).map(([name, { label, example, secret = false }]) => [name, { label, example, secret }]));
}
