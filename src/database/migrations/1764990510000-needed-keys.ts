import type { MigrationInterface, QueryRunner } from 'typeorm';

const SECRETS = {
  connections: 'seal',
  actions: 'response',
  destination_secrets: 'secret',
  oauth_clients: 'secret',
  webhook_addresses: 'secret',
};

/** By which key a secret is encrypted: whether one is still needed is looked up. */
export class NeededKeys1764990510000 implements MigrationInterface {
  name = 'NeededKeys1764990510000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column] of Object.entries(SECRETS))
      await runner.query(`CREATE INDEX ${table}_${column}_key ON ${table} (split_part(${column}, ':', 2)) WHERE ${column} IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of Object.entries(SECRETS)) await runner.query(`DROP INDEX ${table}_${column}_key`);
  }
}
