import type { MigrationInterface, QueryRunner } from 'typeorm';

const OPEN = `state IN ('queued', 'running', 'cancelling')`;

/** A replay of many events is a run: a job that puts them back batch by batch. `replay_id` of an event: the run whose batch it is in, until its outcome is counted. */
export class ReplayRuns1764980310000 implements MigrationInterface {
  name = 'ReplayRuns1764980310000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE webhook_replays ADD COLUMN state text NOT NULL DEFAULT 'completed', ADD COLUMN done integer NOT NULL DEFAULT 0,
         ADD COLUMN failed integer NOT NULL DEFAULT 0, ADD COLUMN skipped integer NOT NULL DEFAULT 0, ADD COLUMN after_id uuid, ADD COLUMN last_id uuid,
         ADD COLUMN started_at timestamptz, ADD COLUMN ended_at timestamptz, ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now(),
         ADD COLUMN attempts integer NOT NULL DEFAULT 0, ADD COLUMN lease_owner uuid, ADD COLUMN lease_until timestamptz`,
    );
    await runner.query(`CREATE INDEX webhook_replays_open ON webhook_replays (next_attempt_at) WHERE ${OPEN}`);
    await runner.query('CREATE INDEX webhook_replays_by_tenant ON webhook_replays (tenant, id DESC)');
    await runner.query('ALTER TABLE webhook_events ADD COLUMN replay_id uuid');
    await runner.query('CREATE INDEX webhook_events_replayed ON webhook_events (replay_id) WHERE replay_id IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX webhook_events_replayed');
    await runner.query('ALTER TABLE webhook_events DROP COLUMN replay_id');
    for (const index of ['webhook_replays_by_tenant', 'webhook_replays_open']) await runner.query(`DROP INDEX ${index}`);
    await runner.query(
      `ALTER TABLE webhook_replays DROP COLUMN state, DROP COLUMN done, DROP COLUMN failed, DROP COLUMN skipped, DROP COLUMN after_id, DROP COLUMN last_id,
         DROP COLUMN started_at, DROP COLUMN ended_at, DROP COLUMN next_attempt_at, DROP COLUMN attempts, DROP COLUMN lease_owner, DROP COLUMN lease_until`,
    );
  }
}
