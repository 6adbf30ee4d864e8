import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { durabilityWarnings } from './durability';
import { ManagedDataSource, type DatabaseSettings } from './managed-data-source';
import { migrate, migrateServer } from './migrator';
import { isStorageUnavailable } from './storage-error';

const logger = new Logger('Database');

/** A server that starts together with the service gets this long. */
const START_DEADLINE_MS = 30_000;
const START_RETRY_MS = 1_000;

/** Opens the database, applies what migrations are pending, and says so where a promise does not hold. */
export async function connectDatabase(settings: DatabaseSettings): Promise<ManagedDataSource> {
  const applied = settings.databaseUrl ? await whenReachable(() => migrateServer(settings.databaseUrl as string)) : [];
  const dataSource = await ManagedDataSource.open(settings);
  try {
    await dataSource.initialize();
    if (!settings.databaseUrl) applied.push(...(await migrate(dataSource)));
    if (applied.length > 0) logger.log(`Applied migrations: ${applied.join(', ')}`);
    if (settings.databaseUrl) for (const warning of await durabilityWarnings(dataSource)) logger.warn(warning);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

async function whenReachable<T>(work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += START_RETRY_MS) {
    try {
      return await work();
    } catch (error) {
      if (waitedMs >= START_DEADLINE_MS || !isStorageUnavailable(error)) throw error;
      if (waitedMs === 0) logger.warn(`The Postgres server of DATABASE_URL cannot be reached; trying for ${START_DEADLINE_MS / 1_000} s.`);
    }
    await sleep(START_RETRY_MS);
  }
}
