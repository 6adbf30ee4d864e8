import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** What an organization makes of the records of a resource; each change of it is a version of its own. */
export class RecordMappings1764910000000 implements MigrationInterface {
  name = 'RecordMappings1764910000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE record_mappings (
         id uuid PRIMARY KEY, tenant text NOT NULL, provider text NOT NULL, resource text NOT NULL,
         connection_id uuid REFERENCES connections ON DELETE CASCADE, version int NOT NULL, expression text NOT NULL,
         created_by text NOT NULL, created_at timestamptz NOT NULL, ended_at timestamptz, told_at timestamptz)`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX record_mappings_in_force ON record_mappings (tenant, provider, resource, coalesce(connection_id, '00000000-0000-0000-0000-000000000000')) WHERE ended_at IS NULL`,
    );
    await runner.query('CREATE INDEX record_mappings_by_connection ON record_mappings (connection_id) WHERE connection_id IS NOT NULL');
    await runner.query('CREATE INDEX record_mappings_untold ON record_mappings (created_at) WHERE told_at IS NULL');
    await lockTenantRows(runner, 'record_mappings', { of: { column: 'tenant' }, readable: true });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE record_mappings');
  }
}
