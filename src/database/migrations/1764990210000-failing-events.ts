import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Events that failed and are tried again, told from those that merely wait: the overview looks for the few among however many. Written with a failure only. */
export class FailingEvents1764990210000 implements MigrationInterface {
  name = 'FailingEvents1764990210000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX webhook_events_failing ON webhook_events (received_at DESC) WHERE status IN ('received', 'failed') AND attempts > 0`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX webhook_events_failing');
  }
}
