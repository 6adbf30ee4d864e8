import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../config/data-source-options';

/** Any number that nothing else in the database locks; the same in every version of the product. */
const MIGRATION_LOCK = 7_234_551_104;

/** Applies the pending migrations on a Postgres server, one migrator at a time however many start at once. Gives their names. */
export async function migrateServer(databaseUrl: string): Promise<string[]> {
  const lock = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000, keepAlive: true, application_name: 'trestle-migrate' });
  lock.on('error', () => undefined); // losing it ends the session's lock; the query in hand reports the loss
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // its own DataSource: a migration may take longer than a statement of the service may
    const dataSource = new DataSource(dataSourceOptions({ databaseUrl, databasePoolMax: 2, statementTimeoutMs: 0 }));
    await dataSource.initialize();
    try {
      return await migrate(dataSource);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await lock.end();
  }
}

/** Applies the pending migrations through this DataSource, alone by nature on the embedded database. */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return (await dataSource.runMigrations()).map(({ name }) => name);
}
