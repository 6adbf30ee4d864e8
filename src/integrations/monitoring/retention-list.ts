import { UNUSED_CLIENT } from '../connections';

/** How long the rows of a table are kept. */
export interface TableRetention {
  /** From when on. A row in which it is null is kept. */
  readonly column: string;
  /** @param retentionDays the setting `RETENTION_DAYS` */
  readonly days: (retentionDays: number) => number;
  /** Which rows only, in SQL. Default: all. */
  readonly only?: string;
}

/** How long the rows of a table are kept that is partitioned by time: parts that are over are dropped. */
export interface PartitionedRetention {
  /** @param retentionDays the setting `RETENTION_DAYS` */
  readonly partitionedDays: (retentionDays: number) => number;
}

const asSet = (retentionDays: number) => retentionDays;

/**
 * What ends the rows of each table, for every table of the schema: a test holds this list against it. `by`: whoever owns the table does it;
 * `with`: they go with the row that they belong to; `stays`: there is one for each thing that people have.
 */
export const RETENTIONS: Readonly<
  Record<string, TableRetention | PartitionedRetention | { by: string } | { with: string } | { stays: string }>
> = {
  request_log: { partitionedDays: asSet },
  /** Minute sums serve 24 hours of health; a few days more let an administrator compare. */
  request_buckets: { column: 'minute', days: (retentionDays) => Math.min(7, retentionDays) },
  figures: { column: 'slot', days: (retentionDays) => Math.min(7, retentionDays) },
  alerts: { column: 'resolved_at', days: asSet },
  outbox: { column: 'created_at', days: asSet },
  outbox_payloads: { column: 'created_at', days: asSet },
  deliveries: { with: 'outbox' },
  destination_secrets: { column: 'expires_at', days: () => 0 },
  /** Nobody wants to hear of them any more. */
  record_change_batches: { column: 'flush_at', days: () => 1 },
  webhook_refusals: { column: 'minute', days: asSet },
  webhook_replays: { column: 'at', days: asSet },
  sync_runs: { column: 'finished_at', days: asSet, only: `status IN ('succeeded', 'failed', 'cancelled')` },
  /** As long as the audit, which names them. */
  record_mappings: { column: 'ended_at', days: (retentionDays) => Math.max(400, retentionDays) },
  /** It was for what stood on it. */
  oauth_clients: { column: 'ended_at', days: () => 0, only: UNUSED_CLIENT },
  actions: { column: 'expires_at', days: () => 0 },
  browser_sessions: { column: 'expires_at', days: () => 0 },
  connect_sessions: { column: 'expires_at', days: () => 0 },
  oauth_states: { column: 'expires_at', days: () => 0 },

  webhook_payloads: { by: 'PayloadRetention: whole partitions after RETENTION_DAYS, once no event of it waits' },
  webhook_events: { by: 'PayloadRetention: after three times RETENTION_DAYS' },
  object_marks: { by: 'PayloadRetention: after three times RETENTION_DAYS, looked at once a day' },
  audit_entries: { by: 'AuditPartitions: whole months, after 400 days' },
  records: { by: 'RecordCompactor: deleted ones, once everybody has had time to read of it' },
  sync_seen: { by: 'SyncScheduler: with the end of its walk' },
  sync_watches: { by: 'WatchService: a day after its end' },

  connection_counts: { with: 'connections' },
  webhook_addresses: { with: 'connections' },
  grants: { with: 'connections' },
  tokens: { with: 'connections' },
  token_refreshes: { with: 'tokens' },
  sync_schedules: { with: 'connections' },
  sync_parts: { by: 'RunOutcome: when all of it is read again' },
  sync_cursors: { with: 'connections' },
  record_sequences: { with: 'connections' },

  connections: { by: 'EndedConnections: a disconnected one, with all its data, after ENDED_CONNECTION_DAYS' },
  destinations: { stays: 'until somebody removes it' },
  encryption_keys: { stays: 'until the key is taken from the settings' },
};
