import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions, type DataSourceSettings } from '../config/data-source-options';
import type { EmbeddedPostgres } from './embedded-postgres';

/** Any number that nothing else in the database locks; the same in every version of the product. */
const MIGRATION_LOCK = 7_234_551_104;

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
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // a migration may take longer than a statement of the service may
    return await migrate({ databaseUrl, databasePoolMax: 2, statementTimeoutMs: 0 });
  } finally {
    await lock.end();
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
