export { connectDatabase } from './connect-database';
export { DatabaseHealth, type DatabaseHealthReport } from './database-health';
export { DatabaseInfo, type DatabaseKind } from './database-info';
export { DatabaseModule, EMBEDDED_SEED } from './database.module';
export { DataFolderLockedError, openEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';
export { LOCK_POOL, LockPool, type LockTransaction } from './lock-pool';
export { ManagedDataSource, type DatabaseSettings } from './managed-data-source';
export { asStorageError, isRetryableTransactionError, isStorageUnavailable } from './storage-error';
export { inTransaction } from './transaction';
