import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** What the events of one delivery have in common is stored once for each connection; its messages point to it, and go with it. */
export class OutboxPayloads1764700000000 implements MigrationInterface {
  name = 'OutboxPayloads1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE outbox_payloads (
         id uuid PRIMARY KEY, tenant text NOT NULL, connection_id uuid NOT NULL, body text NOT NULL, created_at timestamptz NOT NULL)`,
    );
    await runner.query('CREATE INDEX outbox_payloads_age ON outbox_payloads (created_at)');
    await runner.query('CREATE INDEX outbox_payloads_by_connection ON outbox_payloads (connection_id)');
    await runner.query('ALTER TABLE outbox ADD COLUMN payload_id uuid REFERENCES outbox_payloads ON DELETE CASCADE');
    await runner.query('CREATE INDEX outbox_by_payload ON outbox (payload_id) WHERE payload_id IS NOT NULL');
    await lockTenantRows(runner, 'outbox_payloads', { of: { column: 'tenant' }, readable: false });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE outbox o SET body = left(o.body, -2) || ',"payload":' || p.body || '}}' FROM outbox_payloads p WHERE p.id = o.payload_id`,
    );
    await runner.query('ALTER TABLE outbox DROP COLUMN payload_id');
    await runner.query('DROP TABLE outbox_payloads');
  }
}
