import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may manage a connection of an organization, beside who may use it. What a connect link does not say stays as it is. */
export class ConnectionOwners1764690000000 implements MigrationInterface {
  name = 'ConnectionOwners1764690000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE connections ADD COLUMN managed_by text NOT NULL DEFAULT 'admins'`);
    for (const table of ['connect_sessions', 'oauth_states'])
      await runner.query(
        `ALTER TABLE ${table} ADD COLUMN managed_by text, ALTER COLUMN used_by DROP NOT NULL, ALTER COLUMN used_by DROP DEFAULT`,
      );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE connections DROP COLUMN managed_by');
    for (const table of ['connect_sessions', 'oauth_states']) {
      await runner.query(`UPDATE ${table} SET used_by = 'all' WHERE used_by IS NULL`);
      await runner.query(
        `ALTER TABLE ${table} DROP COLUMN managed_by, ALTER COLUMN used_by SET DEFAULT 'all', ALTER COLUMN used_by SET NOT NULL`,
      );
    }
  }
}
