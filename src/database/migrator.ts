import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions, type DataSourceSettings } from '../config/data-source-options';
import type { EmbeddedPostgres } from './embedded-postgres';
import { MIGRATIONS } from './migrations';

/** Any number that nothing else in the database locks; the same in every version of the product. */
export const MIGRATION_LOCK = 7_234_551_104;
const UNDEFINED_TABLE = '42P01';

/** Applies the pending migrations on a Postgres server, one migrator at a time however many start at once. Gives their names. */
export async function migrateServer(databaseUrl: string): Promise<string[]> {
  const lock = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'trestle-migrate',
  });
  lock.on('error', () => undefined); // losing it ends the session's lock; the query in hand reports the loss
  await lock.connect();
  try {
    if (await isMigrated(lock)) return [];
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // a migration may take longer than a statement of the service may
    return await migrate({ databaseUrl, databasePoolMax: 2, statementTimeoutMs: 0 });
  } finally {
    await lock.end();
  }
}

/** The usual start: nothing to do, so no lock and no second pool. A migration's row commits with its work, so whoever sees all rows sees today's schema. */
async function isMigrated(client: Client): Promise<boolean> {
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
    const applied = new Set(rows.map(({ name }) => name));
    return MIGRATIONS.every(({ name }) => applied.has(name));
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return false;
    throw error;
  }
}

/** Applies the pending migrations on the embedded database, alone there by nature. Gives their names. */
export async function migrateEmbedded(embedded: EmbeddedPostgres): Promise<string[]> {
  return migrate({ embedded });
}

async function migrate(settings: DataSourceSettings): Promise<string[]> {
  const dataSource = new DataSource(dataSourceOptions(settings));
  await dataSource.initialize();
  try {
    return (await dataSource.runMigrations()).map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}
