import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CALLER_ROLE, WORKER_ROLE } from '../tenant-rows';

/** Destinations that hear of all organizations, that keep the order of an object's messages, and that choose by content. */
export class DestinationChoices1764925000000 implements MigrationInterface {
  name = 'DestinationChoices1764925000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE destinations ADD COLUMN scope text NOT NULL DEFAULT 'tenant', ADD COLUMN ordered boolean NOT NULL DEFAULT false, ADD COLUMN match jsonb`,
    );
    await runner.query(`CREATE INDEX destinations_of_all ON destinations (id) WHERE scope = 'all'`);
    // Only what goes to an ordered destination has these.
    await runner.query('ALTER TABLE deliveries ADD COLUMN order_key bigint, ADD COLUMN order_number bigint');
    await runner.query(
      `CREATE INDEX deliveries_in_order ON deliveries (destination_id, order_key, order_number)
       WHERE order_key IS NOT NULL AND status IN ('pending', 'sending')`,
    );
    await runner.query('CREATE SEQUENCE delivery_order');
    await runner.query(`GRANT USAGE ON SEQUENCE delivery_order TO ${CALLER_ROLE}, ${WORKER_ROLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX deliveries_in_order');
    await runner.query('ALTER TABLE deliveries DROP COLUMN order_key, DROP COLUMN order_number');
    await runner.query('DROP SEQUENCE delivery_order');
    await runner.query('DROP INDEX destinations_of_all');
    await runner.query('ALTER TABLE destinations DROP COLUMN scope, DROP COLUMN ordered, DROP COLUMN match');
  }
}
