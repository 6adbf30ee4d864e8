import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The body of a delivery is stored once, and its events point to it. Moved in one step, as nothing older than this has been released. */
export class WebhookPayloads1764510000000 implements MigrationInterface {
  name = 'WebhookPayloads1764510000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE webhook_payloads (id uuid PRIMARY KEY, headers jsonb NOT NULL DEFAULT '{}', body bytea NOT NULL)`);
    // No foreign key, which would be looked up for each event: whoever ends a payload makes sure that no event waits for it.
    await runner.query('ALTER TABLE webhook_events ADD COLUMN payload_id uuid');
    await runner.query(
      'INSERT INTO webhook_payloads (id, headers, body) SELECT id, headers, body FROM webhook_events WHERE body IS NOT NULL',
    );
    await runner.query('UPDATE webhook_events SET payload_id = id WHERE body IS NOT NULL');
    await runner.query('ALTER TABLE webhook_events DROP COLUMN headers, DROP COLUMN body');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE webhook_events ADD COLUMN headers jsonb NOT NULL DEFAULT '{}', ADD COLUMN body bytea`);
    await runner.query('UPDATE webhook_events e SET headers = p.headers, body = p.body FROM webhook_payloads p WHERE p.id = e.payload_id');
    await runner.query('ALTER TABLE webhook_events DROP COLUMN payload_id');
    await runner.query('DROP TABLE webhook_payloads');
  }
}
