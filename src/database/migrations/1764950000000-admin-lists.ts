import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What administrators look for: connections by whose they are and what they are of, and the events of one. */
const INDEXES: Readonly<Record<string, string>> = {
  connections_by_tenant: 'connections (tenant, id DESC)',
  connections_by_user: 'connections (user_id, id DESC)',
  connections_by_provider: 'connections (provider, id DESC)',
  connections_by_account: 'connections (account_id)',
  connections_by_account_name: 'connections (lower(account_name) COLLATE "C")',
  webhook_events_by_connection: 'webhook_events (connection_id, id DESC) WHERE connection_id IS NOT NULL',
};

export class AdminLists1764950000000 implements MigrationInterface {
  name = 'AdminLists1764950000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, on] of Object.entries(INDEXES)) await runner.query(`CREATE INDEX ${name} ON ${on}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(INDEXES)) await runner.query(`DROP INDEX ${name}`);
  }
}
