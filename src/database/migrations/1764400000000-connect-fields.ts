import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a person filled in before connecting (a shop, a region), on its way through the flow. No secret is among it. */
export class ConnectFields1764400000000 implements MigrationInterface {
  name = 'ConnectFields1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connect_sessions ADD COLUMN fields jsonb');
    await runner.query('ALTER TABLE oauth_states ADD COLUMN fields jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connect_sessions DROP COLUMN fields');
    await runner.query('ALTER TABLE oauth_states DROP COLUMN fields');
  }
}
