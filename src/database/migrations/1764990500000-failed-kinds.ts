import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATES = { dead: `status = 'dead'`, failing: `status IN ('received', 'failed') AND attempts > 0` };

/**
 * Events that failed are found by their kind, of everybody and of an organization: how many there are is counted up to a bound, and no kind
 * is missed beside another of which there are many. Written with a failure only.
 */
export class FailedKinds1764990500000 implements MigrationInterface {
  name = 'FailedKinds1764990500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, state] of Object.entries(STATES)) {
      await runner.query(`DROP INDEX webhook_events_${name}`);
      await runner.query(`CREATE INDEX webhook_events_${name} ON webhook_events (provider, type, received_at) WHERE ${state}`);
      await runner.query(
        `CREATE INDEX webhook_events_${name}_by_tenant ON webhook_events ((coalesce(tenant, '')), provider, type, received_at) WHERE ${state}`,
      );
    }
    await runner.query(
      `CREATE INDEX webhook_events_handler_failed ON webhook_events (provider, type) WHERE status = 'failed' AND error_code = 'webhook_handler_failed'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX webhook_events_handler_failed');
    for (const [name, state] of Object.entries(STATES)) {
      await runner.query(`DROP INDEX webhook_events_${name}_by_tenant`);
      await runner.query(`DROP INDEX webhook_events_${name}`);
      await runner.query(`CREATE INDEX webhook_events_${name} ON webhook_events (received_at DESC) WHERE ${state}`);
    }
  }
}
