import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where what goes on later was made, of its trace (`traceparent`): empty where nothing is traced. A delivery's stands with its headers. */
export class Traces1764970000000 implements MigrationInterface {
  name = 'Traces1764970000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outbox ADD COLUMN traceparent text');
    await runner.query('ALTER TABLE sync_runs ADD COLUMN traceparent text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_runs DROP COLUMN traceparent');
    await runner.query('ALTER TABLE outbox DROP COLUMN traceparent');
  }
}
