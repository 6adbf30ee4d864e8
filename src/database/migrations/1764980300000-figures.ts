import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows } from '../tenant-rows';

/** Figures in buckets of five minutes, by organization and provider; the sums of all under the tenant ''. And what alert rules look for by index. */
export class Figures1764980300000 implements MigrationInterface {
  name = 'Figures1764980300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE figures (
         tenant text NOT NULL, slot timestamptz NOT NULL, provider text NOT NULL,
         ok integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0, limited integer NOT NULL DEFAULT 0, last_ok_at timestamptz, last_failed_at timestamptz,
         events integer NOT NULL DEFAULT 0, event_failures integer NOT NULL DEFAULT 0, delivered integer NOT NULL DEFAULT 0,
         latency integer[] NOT NULL DEFAULT '{}', lag integer[] NOT NULL DEFAULT '{}', delivery_lag integer[] NOT NULL DEFAULT '{}',
         PRIMARY KEY (tenant, slot, provider))`,
    );
    await runner.query('CREATE INDEX figures_over ON figures (slot)');
    await lockTenantRows(runner, 'figures', { of: { column: 'tenant' }, readable: true });
    // What was counted so far, without what was not measured then.
    await runner.query(
      `INSERT INTO figures (tenant, slot, provider, ok, failed, last_ok_at, last_failed_at)
       SELECT whose, to_timestamp(floor(extract(epoch FROM minute) / 300) * 300), provider, sum(ok), sum(failed), max(last_ok_at), max(last_failed_at)
       FROM request_buckets, unnest(CASE WHEN tenant = '' THEN ARRAY[''] ELSE ARRAY['', tenant] END) AS whose
       WHERE minute > now() - interval '25 hours' GROUP BY 1, 2, 3`,
    );
    await runner.query('DROP INDEX request_buckets_by_provider');
    await runner.query('CREATE INDEX request_buckets_by_connection ON request_buckets (connection_id, minute)');
    await runner.query('CREATE INDEX request_buckets_failed ON request_buckets (minute) WHERE failed > 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const index of ['request_buckets_failed', 'request_buckets_by_connection']) await runner.query(`DROP INDEX ${index}`);
    await runner.query('CREATE INDEX request_buckets_by_provider ON request_buckets (provider, minute)');
    await runner.query('DROP TABLE figures');
  }
}
