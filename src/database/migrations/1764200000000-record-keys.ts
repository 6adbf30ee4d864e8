import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Records are written and looked up in bulk, so the table is made cheap for that.
 *
 * - Keys are compared byte by byte, whatever the database's language.
 * - The feed's index has a condition that only its readers state: a look-up by key can never be planned through it, which without
 *   statistics it was, and then read the whole resource for each record.
 * - Whoever writes a record holds its connection's row in `record_sequences`. So that row is what records hang on: a foreign key to
 *   `connections` looked it up, and locked it, for each record anew.
 */
export class RecordKeys1764200000000 implements MigrationInterface {
  name = 'RecordKeys1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const KEYS = ['resource', 'partition', 'external_id'];
const withCollation = (name: string) => KEYS.map((key) => `ALTER ${key} TYPE text COLLATE ${name}`).join(', ');

const UP = [
  `DROP INDEX records_feed`,
  `ALTER TABLE records DROP CONSTRAINT records_connection_id_fkey, ${withCollation('"C"')}`,
  `CREATE UNIQUE INDEX records_feed ON records (connection_id, resource, change_no) WHERE change_no > 0`,
  `CREATE FUNCTION forget_records() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN DELETE FROM records WHERE connection_id = OLD.connection_id; RETURN NULL; END $$`,
  `CREATE TRIGGER record_sequences_forget AFTER DELETE ON record_sequences FOR EACH ROW EXECUTE FUNCTION forget_records()`,
];

const DOWN = [
  `DROP TRIGGER record_sequences_forget ON record_sequences`,
  `DROP FUNCTION forget_records`,
  `DROP INDEX records_feed`,
  `ALTER TABLE records ADD FOREIGN KEY (connection_id) REFERENCES connections ON DELETE CASCADE, ${withCollation('"default"')}`,
  `CREATE UNIQUE INDEX records_feed ON records (connection_id, resource, change_no)`,
];
