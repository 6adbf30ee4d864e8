import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a connect asks for in the person's own name, beside what it asks for the app. */
export class UserScopes1764870001000 implements MigrationInterface {
  name = 'UserScopes1764870001000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} ADD COLUMN user_scopes text[]`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['connect_sessions', 'oauth_states']) await runner.query(`ALTER TABLE ${table} DROP COLUMN user_scopes`);
  }
}
