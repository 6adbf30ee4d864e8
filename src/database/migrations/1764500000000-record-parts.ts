import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a record hangs on, as `resource/id`: it is deleted with it. */
export class RecordParts1764500000000 implements MigrationInterface {
  name = 'RecordParts1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE records ADD COLUMN part_of text COLLATE "C"');
    await runner.query('CREATE INDEX records_parts ON records (connection_id, part_of) WHERE part_of IS NOT NULL AND NOT deleted');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE records DROP COLUMN part_of');
  }
}
