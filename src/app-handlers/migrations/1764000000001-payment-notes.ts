import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The id is the stored event's: a repeated run notes nothing new. */
export class PaymentNotes1764000000001 implements MigrationInterface {
  name = 'PaymentNotes1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE payment_notes (
      id uuid PRIMARY KEY, tenant text NOT NULL, connection_id uuid NOT NULL, kind text NOT NULL, subject text NOT NULL,
      amount bigint, currency text, noted_at timestamptz NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS payment_notes');
  }
}
