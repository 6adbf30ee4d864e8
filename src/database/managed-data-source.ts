import { DataSource, type DataSourceOptions, type QueryRunner, type ReplicationMode } from 'typeorm';
import { dataSourceOptions, type DataSourceSettings } from '../config/data-source-options';
import { tenantInHand } from '../request-context';
import { confine } from './caller-scope';
import { openEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';

export interface DatabaseSettings extends Omit<DataSourceSettings, 'embedded'> {
  /** Folder of the embedded database, or `memory://`; used when there is no `databaseUrl`. */
  dataDir: string;
  /** As whom migrations are applied on a server; default: as `databaseUrl`. */
  migrationDatabaseUrl?: string;
  /** Warns of a role that no lock binds. */
  production?: boolean;
  /** A new embedded database starts from this dump. */
  seed?: Uint8Array;
}

/**
 * A DataSource that owns the embedded database below it, if there is one, and closes it last. Whatever a caller's request asks it is held
 * to the rows of that caller's organization; what the service does by itself says so (`asService`), and anything else is refused.
 */
export class ManagedDataSource extends DataSource {
  constructor(
    options: DataSourceOptions,
    private readonly embedded?: EmbeddedPostgres,
  ) {
    super(options);
  }

  /** Opens the embedded database where needed; `initialize()` is left to the caller. @throws DataFolderLockedError */
  static async open(settings: DatabaseSettings): Promise<ManagedDataSource> {
    const embedded = settings.databaseUrl ? undefined : await openEmbeddedPostgres(settings.dataDir, { seed: settings.seed });
    return new ManagedDataSource(dataSourceOptions({ ...settings, embedded }), embedded);
  }

  /** @throws LostContextError */
  override createQueryRunner(mode: ReplicationMode = 'master'): QueryRunner {
    const tenant = tenantInHand();
    const runner = super.createQueryRunner(mode);
    return tenant === undefined ? runner : confine(runner, tenant);
  }

  override async destroy(): Promise<void> {
    try {
      if (this.isInitialized) await super.destroy();
    } finally {
      await this.embedded?.close();
    }
  }
}
