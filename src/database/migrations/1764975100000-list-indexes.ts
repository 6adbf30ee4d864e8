import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What lists are filtered by, and what ticks look for: each is read by an index, whatever the size of the table (test/plans.spec.ts). */
const INDEXES: Readonly<Record<string, string>> = {
  webhook_events_by_tenant: 'webhook_events (tenant, id DESC) WHERE tenant IS NOT NULL',
  sync_runs_by_tenant: 'sync_runs (tenant, created_at DESC, id DESC)',
  sync_runs_by_provider: 'sync_runs (provider, created_at DESC, id DESC)',
  sync_runs_by_status: `sync_runs (status, created_at DESC, id DESC) WHERE status IN ('failed', 'cancelled', 'paused')`,
  sync_runs_full: `sync_runs (created_at DESC, id DESC) WHERE type = 'full'`,
  sync_runs_by_trigger: `sync_runs (trigger, created_at DESC, id DESC) WHERE trigger <> 'schedule'`,
  sync_runs_over: `sync_runs (finished_at) WHERE status IN ('succeeded', 'failed', 'cancelled')`,
  sync_schedules_failing: 'sync_schedules (connection_id) WHERE failures > 0',
  connections_ended: `connections (disconnected_at) WHERE status = 'disconnected'`,
  connections_by_state: 'connections (provider, status, tenant)',
  request_log_by_tenant: 'request_log (tenant, at DESC, id DESC)',
  request_log_by_provider: 'request_log (provider, at DESC, id DESC)',
  request_log_by_outcome: `request_log (outcome, at DESC, id DESC) WHERE outcome <> 'ok'`,
  request_log_by_operation: 'request_log (operation, at DESC, id DESC) WHERE operation IS NOT NULL',
  audit_entries_by_action: 'audit_entries (action, id DESC)',
  alerts_by_tenant: 'alerts (tenant, opened_at DESC, id DESC)',
  alerts_over: 'alerts (resolved_at) WHERE resolved_at IS NOT NULL',
  outbox_by_connection: 'outbox (connection_id) WHERE connection_id IS NOT NULL',
  deliveries_newest: 'deliveries (created_at DESC, id DESC)',
  deliveries_dead: `deliveries (created_at DESC, id DESC) WHERE status = 'dead'`,
};

export class ListIndexes1764975100000 implements MigrationInterface {
  name = 'ListIndexes1764975100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, on] of Object.entries(INDEXES)) await runner.query(`CREATE INDEX ${name} ON ${on}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(INDEXES)) await runner.query(`DROP INDEX ${name}`);
  }
}
