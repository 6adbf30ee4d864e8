import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of the requests of a connection that failed, those that the provider put off by its limits: such a one is not down. */
export class LimitedRequests1764990600000 implements MigrationInterface {
  name = 'LimitedRequests1764990600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE request_buckets ADD COLUMN limited integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE request_buckets DROP COLUMN limited');
  }
}
