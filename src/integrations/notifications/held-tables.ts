import type { HeldTable } from '../connections';

export const NOTIFICATION_TABLES: readonly HeldTable[] = [
  { table: 'outbox', connection: 'connection_id', tenant: 'tenant' },
  { table: 'deliveries', tenant: 'tenant', goesWith: 'outbox' },
  { table: 'record_change_batches', connection: 'connection_id', tenant: 'tenant' },
  { table: 'destinations', tenant: 'tenant' },
  { table: 'destination_secrets', tenant: 'tenant', goesWith: 'destinations' },
];
