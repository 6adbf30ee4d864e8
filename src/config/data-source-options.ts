import type { ClientBase } from 'pg';
import type { DataSourceOptions, MigrationInterface } from 'typeorm';
import type { EmbeddedPostgres } from '../database/embedded-postgres';
import { loadedEntities } from '../database/entities';
import { SnakeCaseColumns } from '../database/snake-case-columns';
import { MIGRATIONS } from '../database/migrations';
import { setUpSession } from '../database/session-settings';

/** A migration of TypeORM; its name ends with the time at which it was written. */
export type Migration = new () => MigrationInterface;

export interface DataSourceSettings {
  /** A Postgres server; without it `embedded` must be given. */
  databaseUrl?: string;
  /** The opened embedded database, used when there is no `databaseUrl`. */
  embedded?: EmbeddedPostgres;
  /** Connections at most, on a server. Default 20. */
  databasePoolMax?: number;
  /** Milliseconds a statement may take, on a server; 0 for no limit. Default 30000. */
  statementTimeoutMs?: number;
  /** Default: every one that this process has loaded. */
  entities?: DataSourceOptions['entities'];
  /** Migrations of the product, beside those of the core. */
  migrations?: readonly Migration[];
}

const APPLICATION_NAME = 'trestle';
const DEFAULTS = { databasePoolMax: 20, statementTimeoutMs: 30_000 };

/** Milliseconds a caller waits for a connection. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** The client gives up a little after the server should have: only a dead network lets it come to that. */
const NETWORK_GRACE_MS = 15_000;

/** How TypeORM reaches the database: a server where there is a URL, else the embedded one. Same dialect, same migrations. */
export function dataSourceOptions(settings: DataSourceSettings): DataSourceOptions {
  const common = {
    type: 'postgres' as const,
    entities: settings.entities ?? loadedEntities(),
    namingStrategy: new SnakeCaseColumns(),
    migrations: [...MIGRATIONS, ...(settings.migrations ?? [])],
    migrationsTransactionMode: 'each' as const,
    synchronize: false,
    installExtensions: false,
    // `where: { id: undefined }` must never mean "all rows"
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  } satisfies DataSourceOptions;

  if (settings.databaseUrl) return { ...common, url: settings.databaseUrl, extra: serverPoolConfig(settings) };
  if (!settings.embedded) throw new Error('Neither databaseUrl nor an embedded database was given.');
  return { ...common, extra: { ...settings.embedded.poolConfig(), onConnect: (client: ClientBase) => setUpSession(client, 0) } };
}

/** Settings of a `pg.Pool` towards a Postgres server. */
export function serverPoolConfig({
  databasePoolMax,
  statementTimeoutMs,
}: Pick<DataSourceSettings, 'databasePoolMax' | 'statementTimeoutMs'> = {}) {
  const timeoutMs = statementTimeoutMs ?? DEFAULTS.statementTimeoutMs;
  return {
    max: databasePoolMax ?? DEFAULTS.databasePoolMax,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    ...(timeoutMs > 0 && { query_timeout: timeoutMs + NETWORK_GRACE_MS }),
    onConnect: (client: ClientBase) => setUpSession(client, timeoutMs),
    pipeline: true, // what does not wait for an answer goes out together
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: APPLICATION_NAME,
  };
}
