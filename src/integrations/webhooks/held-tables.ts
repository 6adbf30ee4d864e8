import type { HeldTable } from '../connections';

export const WEBHOOK_TABLES: readonly HeldTable[] = [
  {
    table: 'webhook_events',
    connection: 'connection_id',
    tenant: 'tenant',
    account: { provider: 'provider', routingKey: 'routing_key' },
    exported: {
      kind: 'event',
      key: 'id',
      columns: "id, connection_id, provider, type, object_key, status, received_at, processed_at, encode(body, 'base64') AS body_base64",
    },
  },
  { table: 'object_marks', connection: 'connection_id' },
  { table: 'webhook_replays', tenant: 'tenant' },
];
