import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose a connection is, sealed with a key that the database does not have. The first start seals what was there before. */
export class ConnectionSeals1764800000000 implements MigrationInterface {
  name = 'ConnectionSeals1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connections ADD COLUMN seal text, ADD COLUMN altered_at timestamptz');
    await runner.query('CREATE INDEX connections_unsealed ON connections (id) WHERE seal IS NULL');
    await runner.query('CREATE INDEX connections_altered ON connections (id) WHERE altered_at IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connections DROP COLUMN altered_at, DROP COLUMN seal');
  }
}
