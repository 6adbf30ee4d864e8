import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a session is stands sealed in its cookie; the row says only that it has not ended. Whoever was signed in signs in again. */
export class SealedSessions1764460000000 implements MigrationInterface {
  name = 'SealedSessions1764460000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM browser_sessions');
    await runner.query('ALTER TABLE browser_sessions DROP COLUMN role, DROP COLUMN csrf_hash');
    await runner.query('CREATE INDEX browser_sessions_by_user ON browser_sessions (tenant, user_id)');
    await runner.query('DROP TABLE used_tokens');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE used_tokens (token_hash text PRIMARY KEY, expires_at timestamptz NOT NULL)');
    await runner.query('DELETE FROM browser_sessions');
    await runner.query('DROP INDEX browser_sessions_by_user');
    await runner.query('ALTER TABLE browser_sessions ADD COLUMN role text NOT NULL, ADD COLUMN csrf_hash text NOT NULL');
  }
}
