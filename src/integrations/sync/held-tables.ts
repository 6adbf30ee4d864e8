import type { HeldTable } from '../connections';

export const SYNC_TABLES: readonly HeldTable[] = [
  {
    table: 'records',
    connection: 'connection_id',
    exported: {
      kind: 'record',
      key: 'change_no',
      columns: 'connection_id, resource, partition, external_id, data, deleted, changed_at',
    },
  },
  { table: 'record_sequences', goesWith: 'connections' },
  {
    table: 'sync_runs',
    connection: 'connection_id',
    exported: {
      kind: 'run',
      key: 'id',
      columns:
        'id, connection_id, type, trigger, status, resources, fetched, created, updated, unchanged, deleted, error_code, created_at, started_at, finished_at',
    },
  },
  { table: 'record_mappings', connection: 'connection_id', tenant: 'tenant' },
  { table: 'sync_cursors', connection: 'connection_id' },
  { table: 'sync_seen', connection: 'connection_id' },
  { table: 'sync_parts', connection: 'connection_id' },
  { table: 'sync_schedules', connection: 'connection_id' },
  { table: 'sync_watches', connection: 'connection_id' },
];
