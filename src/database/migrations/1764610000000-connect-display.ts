import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How the product calls the user and the organization on the connect page. */
export class ConnectDisplay1764610000000 implements MigrationInterface {
  name = 'ConnectDisplay1764610000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connect_sessions ADD COLUMN display jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connect_sessions DROP COLUMN display');
  }
}
