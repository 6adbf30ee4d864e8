import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** What is to be known of a part of a connection's sync: that it cannot be read, since when, when it is tried again; what its list leaves out. */
export class SyncParts1764810000000 implements MigrationInterface {
  name = 'SyncParts1764810000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE sync_parts (
         connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, resource text NOT NULL, partition text NOT NULL, whole boolean NOT NULL,
         label text NOT NULL, extent text, failures integer NOT NULL DEFAULT 0, error_code text, error_message text,
         failing_since timestamptz, tried_at timestamptz, next_try_at timestamptz, PRIMARY KEY (connection_id, resource, partition, whole))`,
    );
    await runner.query('CREATE INDEX sync_parts_failing ON sync_parts (connection_id) WHERE failures > 0');
    await lockTenantRows(runner, 'sync_parts', { of: { column: 'connection_id', references: 'connections' }, readable: true });
    await runner.query(`ALTER TABLE sync_runs ADD COLUMN parts jsonb NOT NULL DEFAULT '[]'`);
    await runner.query('ALTER TABLE sync_schedules DROP COLUMN part_failures');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sync_schedules ADD COLUMN part_failures integer NOT NULL DEFAULT 0');
    await runner.query('CREATE INDEX sync_schedules_part_failing ON sync_schedules (connection_id) WHERE part_failures > 0');
    await runner.query('ALTER TABLE sync_runs DROP COLUMN parts');
    await runner.query('DROP TABLE sync_parts');
  }
}
