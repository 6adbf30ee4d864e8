import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

const FLOWS = ['connect_sessions', 'oauth_states'];

/** Clients at providers that are an organization's own, and with which of them a connect is under way. */
export class OAuthClients1764920000000 implements MigrationInterface {
  name = 'OAuthClients1764920000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE oauth_clients (
         id uuid PRIMARY KEY, tenant text NOT NULL, provider text NOT NULL, client_id text NOT NULL, secret text NOT NULL,
         set_by text NOT NULL, set_at timestamptz NOT NULL, ended_at timestamptz, UNIQUE (tenant, provider, client_id))`,
    );
    await runner.query('CREATE UNIQUE INDEX oauth_clients_in_force ON oauth_clients (tenant, provider) WHERE ended_at IS NULL');
    await lockTenantRows(runner, 'oauth_clients', { of: { column: 'tenant' }, readable: true });
    for (const table of FLOWS) await runner.query(`ALTER TABLE ${table} ADD COLUMN client text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of FLOWS) await runner.query(`ALTER TABLE ${table} DROP COLUMN client`);
    await runner.query('DROP TABLE oauth_clients');
  }
}
