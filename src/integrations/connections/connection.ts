import type { ErrorCode } from '../../errors';
import type { RowOf } from '../../database';
import type { ConnectionRef } from '../contract';
import type { PartView } from './part-view';
import type { ConnectionPolicy } from './connection-access';
import type { ConnectionEntity, ConnectionStatus } from './connection.entity';

export type { ConnectionStatus };

/** Why a connection does not work. */
export interface ConnectionFault {
  readonly code: ErrorCode;
  readonly providerCode?: string;
  readonly at: Date;
}

/** A stored connection; no secret in it. */
export interface Connection extends ConnectionRef, ConnectionPolicy {
  readonly status: ConnectionStatus;
  readonly accountName: string;
  /** Key under which the provider's webhooks name the account. */
  readonly routingKey: string;
  readonly scopes: readonly string[];
  /** What its tokens hang on; null where that has ended. */
  readonly grantId: string | null;
  readonly error: ConnectionFault | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it was connected last. */
  readonly connectedAt: Date;
  readonly disconnectedAt: Date | null;
}

/** A connection with what its card shows of the last sync. */
export interface ConnectionWithSync extends Connection {
  readonly lastSync: Date | null;
  readonly syncInProgress: boolean;
  /** Of which something is to be told: they cannot be read, or are not read whole. */
  readonly parts: readonly PartView[];
}

/** What may be handed round. */
export function toRef(connection: Connection): ConnectionRef {
  const { id, tenant, userId, provider, accountId, authType, scopes, metadata } = connection;
  return { id, tenant, userId, provider, accountId, authType, scopes, metadata };
}

/** A row of `connections` as the driver gives it. */
export type ConnectionRow = RowOf<ConnectionEntity>;

export function connectionOf(row: ConnectionRow): Connection {
  return {
    id: row.id,
    tenant: row.tenant,
    userId: row.user_id,
    provider: row.provider,
    accountId: row.account_id,
    accountName: row.account_name,
    routingKey: row.routing_key,
    usedBy: row.used_by,
    managedBy: row.managed_by,
    authType: row.auth_type,
    status: row.status,
    scopes: row.scopes,
    grantId: row.grant_id,
    metadata: row.metadata,
    error: row.error_code
      ? {
          code: row.error_code,
          ...(row.error_provider_code !== null && { providerCode: row.error_provider_code }),
          at: row.error_at ?? row.updated_at,
        }
      : null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    connectedAt: row.connected_at,
    disconnectedAt: row.disconnected_at,
  };
}
