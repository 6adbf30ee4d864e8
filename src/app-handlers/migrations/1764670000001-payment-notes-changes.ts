import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../../database';

/** The lock on the notes' rows for what is changed as well, and for a service that does not own them. */
export class PaymentNotesChanges1764670000001 implements MigrationInterface {
  name = 'PaymentNotesChanges1764670000001';

  async up(runner: QueryRunner): Promise<void> {
    await lockTenantRows(runner, 'payment_notes', { of: { column: 'tenant' }, readable: true });
  }

  /** The lock of before is the same for what is read. */
  async down(): Promise<void> {}
}
