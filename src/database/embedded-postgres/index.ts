export { DataFolderLockedError } from './data-folder-lock';
export { openEmbeddedPostgres, type EmbeddedPoolConfig, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres';
