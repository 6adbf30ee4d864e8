export { asService, asTenant, type Scope } from './caller-scope';
export { connectDatabase } from './connect-database';
export { DatabaseHealth, type DatabaseHealthReport } from './database-health';
export { DatabaseInfo, type DatabaseKind } from './database-info';
export { DatabaseModule } from './database.module';
export { COMMIT_WITHOUT_WAITING } from './durability';
export { DataFolderLockedError, openEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';
export type { RowOf } from './entities';
export { LOCK_POOL, LockPool, type LockTransaction } from './lock-pool';
export { ManagedDataSource, type DatabaseSettings } from './managed-data-source';
export { prepared } from './prepared-statements';
export { DATABASE, DATABASE_TOKEN, OWN_DATA_SOURCE } from './own-database';
export { OnlyDatabaseModule } from './only-database.module';
export { OnlyProcess, PROCESS_SIGNS, ProcessSession, type ProcessSigns } from './process-session';
export { snakeCase } from './snake-case-columns';
export { asServiceWithin } from './service-within';
export { changedRows, type SqlRunner } from './sql-runner';
export { asStorageError, isRetryableTransactionError, isStorageUnavailable } from './storage-error';
export { inTransaction, retried } from './transaction';
export {
  deletedUpTo,
  dropPartition,
  firstIdOf,
  makePartitionsAhead,
  partitionsOver,
  timeOfId,
  timePartitions,
  type TimePartition,
} from './time-partitions';
export { CALLER_ROLE, lockTenantRows, openToService, unlockTenantRows, WORKER_ROLE, type TenantOf } from './tenant-rows';
