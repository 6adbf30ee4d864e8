import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom a connect link, or a browser that is at a provider, is for: sealed. Those of before the upgrade, ten minutes old at most, begin anew. */
export class ConnectSeals1764870000000 implements MigrationInterface {
  name = 'ConnectSeals1764870000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} ADD COLUMN seal text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} DROP COLUMN seal`);
  }
}
