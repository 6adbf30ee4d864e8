import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was applied to an object before: so one statement can move its mark and tell where it stood. */
export class GuardsBefore1764300000000 implements MigrationInterface {
  name = 'GuardsBefore1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE object_guards ADD COLUMN before_version numeric, ADD COLUMN before_event_id text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE object_guards DROP COLUMN before_version, DROP COLUMN before_event_id');
  }
}
