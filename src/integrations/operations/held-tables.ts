import type { HeldTable } from '../connections';

export const OPERATION_TABLES: readonly HeldTable[] = [
  { table: 'actions', connection: 'connection_id', tenant: 'tenant', user: 'user_id' },
];
