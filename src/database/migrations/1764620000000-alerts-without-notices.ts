import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alerts go out by the outbox; what told whether somebody had heard of one is not read any more. */
export class AlertsWithoutNotices1764620000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE alerts DROP COLUMN notified_at, DROP COLUMN recovery_notified_at, DROP COLUMN notify_attempts');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE alerts ADD COLUMN notified_at timestamptz, ADD COLUMN recovery_notified_at timestamptz, ADD COLUMN notify_attempts integer NOT NULL DEFAULT 0',
    );
  }
}
