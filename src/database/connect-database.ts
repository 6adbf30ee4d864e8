import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataSourceOptions } from '../config/data-source-options';
import { IntegrationError } from '../errors';
import { asService } from './caller-scope';
import { durabilityWarnings } from './durability';
import { openEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';
import { ManagedDataSource, type DatabaseSettings } from './managed-data-source';
import { boundlessRole } from './boundless-role';
import { migrateEmbedded, migrateServer } from './migrator';
import { refuseSharedSessions } from './own-session';
import { refusedConnection } from './refused-connection';
import { isStorageUnavailable } from './storage-error';

/** A database that can be reached and has today's schema; the embedded one is open. */
export interface PreparedDatabase {
  readonly settings: DatabaseSettings;
  readonly embedded?: EmbeddedPostgres;
}

const logger = new Logger('Database');

/** A server that starts together with the service gets this long. */
const START_DEADLINE_MS = 30_000;
const START_RETRY_MS = 1_000;

/** Opens and migrates the database and connects to it: what `DatabaseModule` does, without Nest. */
export async function connectDatabase(settings: DatabaseSettings): Promise<ManagedDataSource> {
  return connectPrepared(await prepareDatabase(settings));
}

/** @throws DataFolderLockedError, SettingsError for a pooler of transactions or a server that refuses, or IntegrationError `storage_unavailable` when the server cannot be reached for 30 s. */
export async function prepareDatabase(settings: DatabaseSettings): Promise<PreparedDatabase> {
  const { databaseUrl, migrationDatabaseUrl = databaseUrl, migrations } = settings;
  if (databaseUrl) {
    await whenReachable('DATABASE_URL', () => refuseSharedSessions(databaseUrl));
    const migrator = migrationDatabaseUrl === databaseUrl ? 'DATABASE_URL' : 'MIGRATION_DATABASE_URL';
    report(await whenReachable(migrator, () => migrateServer(migrationDatabaseUrl ?? databaseUrl, migrations, migrator)));
    return { settings };
  }
  const embedded = await openEmbeddedPostgres(settings.dataDir, { seed: settings.seed });
  try {
    report(await migrateEmbedded(embedded, migrations));
    return { settings, embedded };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** Connects, and says so where the server's settings do not hold the promise. */
export async function connectPrepared({ settings, embedded }: PreparedDatabase, entities = settings.entities): Promise<ManagedDataSource> {
  const dataSource = new ManagedDataSource(dataSourceOptions({ ...settings, embedded, entities }), embedded);
  try {
    await dataSource.initialize();
    if (!embedded) for (const warning of await asService(() => durabilityWarnings(dataSource))) logger.warn(warning);
    const boundless = !embedded && settings.production && (await asService(() => boundlessRole(dataSource)));
    if (boundless) logger.warn(boundless);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

function report(migrations: string[]): void {
  if (migrations.length > 0) logger.log(`Applied migrations: ${migrations.join(', ')}`);
}

/** @param variable the setting that names the server */
async function whenReachable<T>(variable: string, work: () => Promise<T>): Promise<T> {
  const seconds = START_DEADLINE_MS / 1_000;
  for (let waitedMs = 0; ; waitedMs += START_RETRY_MS) {
    try {
      return await work();
    } catch (cause) {
      const refusal = refusedConnection(cause, variable);
      if (refusal) throw refusal;
      if (!isStorageUnavailable(cause)) throw cause;
      const detail = `The Postgres server of ${variable} could not be reached for ${seconds} s.`;
      if (waitedMs >= START_DEADLINE_MS)
        throw new IntegrationError('storage_unavailable', { detail, nextStep: `Start it, or correct ${variable}.`, cause });
      if (waitedMs === 0) logger.warn(`The Postgres server of ${variable} cannot be reached; trying for ${seconds} s.`);
    }
    await sleep(START_RETRY_MS);
  }
}
