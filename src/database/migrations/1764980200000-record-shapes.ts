import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was stored as it came since it does not have the shape that its resource declares: of a run, and of each part as far as is known. */
export class RecordShapes1764980200000 implements MigrationInterface {
  name = 'RecordShapes1764980200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE sync_runs ADD COLUMN shape_errors jsonb NOT NULL DEFAULT '{}'`);
    await runner.query('ALTER TABLE sync_parts ADD COLUMN shape_errors integer NOT NULL DEFAULT 0, ADD COLUMN shape_error text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_parts DROP COLUMN shape_errors, DROP COLUMN shape_error');
    await runner.query('ALTER TABLE sync_runs DROP COLUMN shape_errors');
  }
}
