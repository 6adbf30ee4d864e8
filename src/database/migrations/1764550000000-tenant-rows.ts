import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows, unlockTenantRows, type TenantOf } from '../tenant-rows';

const BY_TENANT: TenantOf = { column: 'tenant' };
const BY_CONNECTION: TenantOf = { column: 'connection_id', references: 'connections' };

/** What a caller's statements may read, each organization its own. */
const READABLE: Readonly<Record<string, TenantOf>> = {
  connections: BY_TENANT,
  sync_runs: BY_TENANT,
  webhook_events: BY_TENANT,
  webhook_replays: BY_TENANT,
  actions: BY_TENANT,
  request_log: BY_TENANT,
  request_buckets: BY_TENANT,
  alerts: BY_TENANT,
  destinations: BY_TENANT,
  deliveries: BY_TENANT,
  outbox: BY_TENANT,
  audit_entries: BY_TENANT,
  records: BY_CONNECTION,
  record_sequences: BY_CONNECTION,
  sync_schedules: BY_CONNECTION,
  sync_cursors: BY_CONNECTION,
};

/** Secrets, and what only the machinery reads: of these not even its own rows. */
const HIDDEN: Readonly<Record<string, TenantOf>> = {
  tokens: BY_CONNECTION,
  token_refreshes: { column: 'token_id', references: 'tokens' },
  connect_sessions: BY_TENANT,
  oauth_states: BY_TENANT,
  browser_sessions: BY_TENANT,
  destination_secrets: BY_TENANT,
  record_change_batches: BY_TENANT,
  object_marks: BY_CONNECTION,
  sync_seen: BY_CONNECTION,
  sync_watches: BY_CONNECTION,
};

/** A second lock: under a caller's statements the database itself shows an organization its own rows only. */
export class TenantRows1764550000000 implements MigrationInterface {
  name = 'TenantRows1764550000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, of] of Object.entries(READABLE)) await lockTenantRows(runner, table, { of, readable: true });
    for (const [table, of] of Object.entries(HIDDEN)) await lockTenantRows(runner, table, { of, readable: false });
    // one body for the events of several organizations: read by the machinery alone, after the event was found
    await runner.query('ALTER TABLE webhook_payloads ENABLE ROW LEVEL SECURITY');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys({ ...READABLE, ...HIDDEN })) await unlockTenantRows(runner, table);
    await runner.query('ALTER TABLE webhook_payloads DISABLE ROW LEVEL SECURITY');
  }
}
