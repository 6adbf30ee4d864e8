import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who runs a sync, so that what a process held that has ended need not wait for its lease. */
export class RunLeaseOwners1764860000000 implements MigrationInterface {
  name = 'RunLeaseOwners1764860000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_runs ADD COLUMN lease_owner uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_runs DROP COLUMN lease_owner');
  }
}
