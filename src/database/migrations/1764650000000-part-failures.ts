import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs over everything, in a row, that read only a part: `failures` counts those that read nothing. */
export class PartFailures1764650000000 implements MigrationInterface {
  name = 'PartFailures1764650000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_schedules ADD COLUMN part_failures integer NOT NULL DEFAULT 0');
    await runner.query('CREATE INDEX sync_schedules_part_failing ON sync_schedules (connection_id) WHERE part_failures > 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_schedules DROP COLUMN part_failures');
  }
}
