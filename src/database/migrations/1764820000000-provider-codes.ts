import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The provider's own code beside ours, and the way to the refusals that the operator is told of. */
export class ProviderCodes1764820000000 implements MigrationInterface {
  name = 'ProviderCodes1764820000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE request_log ADD COLUMN provider_code text');
    await runner.query(
      `CREATE INDEX request_log_of_operator ON request_log (at) WHERE error_code IN ('provider_misconfigured', 'refresh_refused')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX request_log_of_operator');
    await runner.query('ALTER TABLE request_log DROP COLUMN provider_code');
  }
}
