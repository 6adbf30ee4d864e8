import type { HeldTable } from './personal-data/held-table';

/** `audit_entries`, `browser_sessions` and those of requests belong to folders below this one. */
export const CONNECTION_TABLES: readonly HeldTable[] = [
  {
    table: 'connections',
    tenant: 'tenant',
    user: 'user_id',
    exported: {
      kind: 'connection',
      key: 'id',
      columns:
        'id, tenant, user_id, provider, account_id, account_name, status, scopes, metadata, created_at, connected_at, disconnected_at',
    },
  },
  { table: 'connection_counts', goesWith: 'connections' },
  { table: 'grants', goesWith: 'connections' },
  { table: 'tokens', goesWith: 'connections' },
  { table: 'token_refreshes', goesWith: 'tokens' },
  { table: 'oauth_clients', tenant: 'tenant' },
  { table: 'browser_sessions', tenant: 'tenant', user: 'user_id' },
  {
    table: 'audit_entries',
    tenant: 'actor_tenant',
    user: 'actor_user',
    stays: 'who did what, and never content: it proves the erasure too, and ends by the month',
    exported: { kind: 'audit', key: 'id', columns: 'id, at, tenant, actor_role, action, target, outcome, request_id, ip' },
  },
  { table: 'request_log', connection: 'connection_id', tenant: 'tenant' },
  { table: 'request_buckets', connection: 'connection_id', tenant: 'tenant' },
];
