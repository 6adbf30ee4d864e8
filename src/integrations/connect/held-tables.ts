import type { HeldTable } from '../connections';

export const CONNECT_TABLES: readonly HeldTable[] = [
  { table: 'connect_sessions', connection: 'connection_id', tenant: 'tenant', user: 'user_id' },
  { table: 'oauth_states', connection: 'connection_id', tenant: 'tenant', user: 'user_id' },
];
