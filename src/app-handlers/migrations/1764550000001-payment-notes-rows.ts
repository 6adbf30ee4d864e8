import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows, unlockTenantRows } from '../../database';

/** A caller's statement finds its own organization's notes only. */
export class PaymentNotesRows1764550000001 implements MigrationInterface {
  name = 'PaymentNotesRows1764550000001';

  async up(runner: QueryRunner): Promise<void> {
    await lockTenantRows(runner, 'payment_notes', { of: { column: 'tenant' }, readable: true });
  }

  async down(runner: QueryRunner): Promise<void> {
    await unlockTenantRows(runner, 'payment_notes');
  }
}
