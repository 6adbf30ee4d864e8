import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** An administrator's erasure ends what is on its way to the product, with its payloads. */
export class OutboxPayloadRows1764709000000 implements MigrationInterface {
  name = 'OutboxPayloadRows1764709000000';

  async up(runner: QueryRunner): Promise<void> {
    await lockTenantRows(runner, 'outbox_payloads', { of: { column: 'tenant' }, readable: true });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE ALL ON outbox_payloads FROM trestle_caller');
  }
}
