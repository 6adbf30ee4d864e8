import type { HeldTable } from '../connections';
import { pointsAt } from './stored-payload';

export const WEBHOOK_TABLES: readonly HeldTable[] = [
  {
    table: 'webhook_events',
    connection: 'connection_id',
    tenant: 'tenant',
    account: { provider: 'provider', routingKey: 'routing_key' },
    exported: {
      kind: 'event',
      key: 'id',
      columns: `id, connection_id, provider, type, object_key, status, received_at, processed_at,
        (SELECT encode(p.body, 'base64') FROM webhook_payloads p WHERE p.id = payload_id) AS body_base64`,
    },
  },
  // One body for all events of a delivery, whoever they concern.
  { table: 'webhook_payloads', pointedAtBy: { table: 'webhook_events', column: 'payload_id', points: pointsAt('o', 'webhook_payloads') } },
  { table: 'webhook_addresses', connection: 'connection_id', tenant: 'tenant' },
  { table: 'object_marks', connection: 'connection_id' },
  { table: 'webhook_replays', tenant: 'tenant' },
];
