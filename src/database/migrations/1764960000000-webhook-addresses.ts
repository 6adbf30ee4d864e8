import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** Addresses to which a provider delivers for one connection alone, each with a secret of its own. */
export class WebhookAddresses1764960000000 implements MigrationInterface {
  name = 'WebhookAddresses1764960000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE webhook_addresses (
         id uuid PRIMARY KEY, connection_id uuid NOT NULL UNIQUE REFERENCES connections ON DELETE CASCADE, tenant text NOT NULL,
         provider text NOT NULL, token_hash text NOT NULL UNIQUE, secret text NOT NULL, set_at timestamptz NOT NULL)`,
    );
    await lockTenantRows(runner, 'webhook_addresses', { of: { column: 'tenant' }, readable: true });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE webhook_addresses');
  }
}
