import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { SettingsError } from '../config/settings-error';
import { dataSourceOptions, type DataSourceSettings, type Migration } from '../config/data-source-options';
import type { EmbeddedPostgres } from './embedded-postgres';
import { MIGRATIONS } from './migrations';
import { setUpSession } from './session-settings';

/** Any number that nothing else in the database locks; the same in every version of the product. */
export const MIGRATION_LOCK = 7_234_551_104;
const UNDEFINED_TABLE = '42P01';

/** Which setting names the database and the role that migrates it. */
export type MigratorSetting = 'DATABASE_URL' | 'MIGRATION_DATABASE_URL';

/** Applies the pending migrations on a Postgres server, one migrator at a time however many start at once. Gives their names. */
export async function migrateServer(
  databaseUrl: string,
  migrations: readonly Migration[] = [],
  setting: MigratorSetting = 'DATABASE_URL',
): Promise<string[]> {
  const lock = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'trestle-migrate',
  });
  lock.on('error', () => undefined); // losing it ends the session's lock; the query in hand reports the loss
  await lock.connect();
  try {
    await setUpSession(lock, 0);
    if (await isMigrated(lock, [...MIGRATIONS, ...migrations])) return [];
    await refuseOtherThanOwner(lock, setting);
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // a migration may take longer than a statement of the service may
    return await migrate({ databaseUrl, migrations, databasePoolMax: 2, statementTimeoutMs: 0 });
  } finally {
    await lock.end();
  }
}

/** The usual start: nothing to do, so no lock and no second pool. A migration's row commits with its work, so whoever sees all rows sees today's schema. */
async function isMigrated(client: Client, migrations: readonly Migration[]): Promise<boolean> {
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
    const applied = new Set(rows.map(({ name }) => name));
    return migrations.every(({ name }) => applied.has(name));
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return false;
    throw error;
  }
}

/** A role that only runs the service cannot migrate; it would be told so in words of SQL, after the first statements. */
async function refuseOtherThanOwner(client: Client, setting: MigratorSetting): Promise<void> {
  const { rows } = await client.query<{ role: string; owns: boolean }>(
    `SELECT current_user AS role, has_schema_privilege('public', 'CREATE') AND coalesce(
       (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('migrations')), true) AS owns`,
  );
  if (!rows[0] || rows[0].owns) return;
  const remedy = {
    DATABASE_URL: 'run `npm run migrate` first, with MIGRATION_DATABASE_URL naming the role that owns the tables',
    MIGRATION_DATABASE_URL: 'name the role that owns the tables',
  };
  throw new SettingsError([
    `${setting}: the database is of another version, and the role "${rows[0].role}" may not change it; ${remedy[setting]}`,
  ]);
}

/** Applies the pending migrations on the embedded database, alone there by nature. Gives their names. */
export async function migrateEmbedded(embedded: EmbeddedPostgres, migrations: readonly Migration[] = []): Promise<string[]> {
  return migrate({ embedded, migrations });
}

async function migrate(settings: DataSourceSettings): Promise<string[]> {
  const dataSource = new DataSource(dataSourceOptions(settings));
  await dataSource.initialize();
  try {
    await refuseStrangeSchema(dataSource);
    return (await dataSource.runMigrations()).map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}

/** A database of before the first release has tables under other names; what is applied to it would fail half-way, in words of SQL. */
async function refuseStrangeSchema(dataSource: DataSource): Promise<void> {
  const [there] = await dataSource.query<{ found: string | null }[]>(`SELECT to_regclass('migrations') AS found`);
  if (!there?.found) return;
  const applied = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
  if (applied.length === 0 || applied.some(({ name }) => name === MIGRATIONS[0]?.name)) return;
  throw new SettingsError([
    'DATABASE_URL, DATA_DIR: the database was made by a version before the first release, which this one cannot take over; use an empty one',
  ]);
}
