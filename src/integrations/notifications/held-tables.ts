import type { HeldTable } from '../connections';

/** That a connection has ended is told even where all else of it is destroyed: the product would never hear of it. Given up after a day. */
const UNSENT_ENDS = {
  rows: `type = 'connection.disconnected'`,
  while: `EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = outbox.id AND d.status IN ('pending', 'sending'))`,
};

export const NOTIFICATION_TABLES: readonly HeldTable[] = [
  { table: 'outbox', connection: 'connection_id', tenant: 'tenant', kept: UNSENT_ENDS },
  { table: 'outbox_payloads', connection: 'connection_id', tenant: 'tenant' },
  { table: 'deliveries', tenant: 'tenant', goesWith: 'outbox' },
  { table: 'record_change_batches', connection: 'connection_id', tenant: 'tenant' },
  { table: 'destinations', tenant: 'tenant' },
  { table: 'destination_secrets', tenant: 'tenant', goesWith: 'destinations' },
];
