import type { HeldTable } from '../connections';

export const OUTBOUND_TABLES: readonly HeldTable[] = [
  { table: 'request_log', connection: 'connection_id', tenant: 'tenant' },
  { table: 'request_buckets', connection: 'connection_id', tenant: 'tenant' },
];
