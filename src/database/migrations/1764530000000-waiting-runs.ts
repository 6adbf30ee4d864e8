import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is asked for while a run is under way is a run of its own, that waits for that one: `after_run`. */
export class WaitingRuns1764530000000 implements MigrationInterface {
  name = 'WaitingRuns1764530000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_runs ADD COLUMN after_run uuid');
    await runner.query('DROP INDEX sync_runs_one_active');
    await runner.query(
      `CREATE UNIQUE INDEX sync_runs_one_active ON sync_runs (connection_id) WHERE status IN ('queued', 'running') AND after_run IS NULL`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX sync_runs_one_waiting ON sync_runs (connection_id) WHERE status = 'queued' AND after_run IS NOT NULL`,
    );
    await runner.query(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, resources, priority, after_run)
       SELECT gen_random_uuid(), connection_id, tenant, provider, coalesce(rerun_type, 'incremental'), 'webhook', 'queued', coalesce(rerun_resources, '{}'), 3, id
       FROM sync_runs WHERE rerun AND status = 'running'`,
    );
    await runner.query('ALTER TABLE sync_runs DROP COLUMN rerun, DROP COLUMN rerun_type, DROP COLUMN rerun_resources');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE sync_runs ADD COLUMN rerun boolean NOT NULL DEFAULT false, ADD COLUMN rerun_type text, ADD COLUMN rerun_resources text[]`,
    );
    await runner.query(
      `UPDATE sync_runs r SET rerun = true, rerun_type = w.type, rerun_resources = w.resources FROM sync_runs w WHERE w.after_run = r.id AND w.status = 'queued'`,
    );
    await runner.query('DELETE FROM sync_runs WHERE after_run IS NOT NULL');
    await runner.query('ALTER TABLE sync_runs DROP COLUMN after_run');
    await runner.query(`CREATE UNIQUE INDEX sync_runs_one_active ON sync_runs (connection_id) WHERE status IN ('queued', 'running')`);
  }
}
