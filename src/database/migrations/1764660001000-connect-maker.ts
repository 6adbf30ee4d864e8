import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who made a connect link: an administrator may have made it for somebody else. */
export class ConnectMaker1764660001000 implements MigrationInterface {
  name = 'ConnectMaker1764660001000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} ADD COLUMN maker jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} DROP COLUMN maker`);
  }
}
