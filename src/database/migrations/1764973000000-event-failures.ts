import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What became of the attempts of an event that failed: with the event, so that those that go well cost nothing. */
export class EventFailures1764973000000 implements MigrationInterface {
  name = 'EventFailures1764973000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_events ADD COLUMN failures jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_events DROP COLUMN failures');
  }
}
