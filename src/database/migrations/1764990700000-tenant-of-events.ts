import type { MigrationInterface, QueryRunner } from 'typeorm';

const INDEXES: Readonly<Record<string, (tenant: string) => string>> = {
  webhook_events_due_by_tenant: (tenant) => `(${tenant}, next_attempt_at, id) WHERE status IN ('received', 'failed')`,
  webhook_events_dead_by_tenant: (tenant) => `(${tenant}, provider, type, received_at) WHERE status = 'dead'`,
  webhook_events_failing_by_tenant: (tenant) =>
    `(${tenant}, provider, type, received_at) WHERE status IN ('received', 'failed') AND attempts > 0`,
};

/**
 * The organization of an event, in words that a caller's role may look into an index with: `coalesce` is taken for what may leak, so that the
 * policy was looked at first, and no index used.
 */
export class TenantOfEvents1764990700000 implements MigrationInterface {
  name = 'TenantOfEvents1764990700000';

  up(runner: QueryRunner): Promise<void> {
    return index(runner, `(CASE WHEN tenant IS NULL THEN '' ELSE tenant END)`);
  }

  down(runner: QueryRunner): Promise<void> {
    return index(runner, `(coalesce(tenant, ''))`);
  }
}

async function index(runner: QueryRunner, tenant: string): Promise<void> {
  for (const [name, columns] of Object.entries(INDEXES)) {
    await runner.query(`DROP INDEX ${name}`);
    await runner.query(`CREATE INDEX ${name} ON webhook_events ${columns(tenant)}`);
  }
}
