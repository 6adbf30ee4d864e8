import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the messages about ended connections, which outlive the connection until they are sent. */
export class UnsentDisconnects1764660002000 implements MigrationInterface {
  name = 'UnsentDisconnects1764660002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX outbox_disconnects ON outbox (connection_id) WHERE type = 'connection.disconnected'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX outbox_disconnects');
  }
}
