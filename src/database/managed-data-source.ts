import { DataSource } from 'typeorm';
import { dataSourceOptions, type DataSourceSettings } from '../config/data-source-options';
import { openEmbeddedPostgres } from './embedded-postgres';

export interface DatabaseSettings extends Omit<DataSourceSettings, 'embedded'> {
  /** Folder of the embedded database, or `memory://`; used when there is no `databaseUrl`. */
  dataDir: string;
  /** A new embedded database starts from this dump. */
  seed?: Uint8Array;
}

/** A DataSource that owns the embedded database below it, if there is one, and closes it last. */
export class ManagedDataSource extends DataSource {
  private closeEmbedded: (() => Promise<void>) | undefined;

  /** Opens the embedded database where needed; `initialize()` is left to the caller. */
  static async open(settings: DatabaseSettings): Promise<ManagedDataSource> {
    if (settings.databaseUrl) return new ManagedDataSource(dataSourceOptions(settings));
    const embedded = await openEmbeddedPostgres(settings.dataDir, { seed: settings.seed });
    const dataSource = new ManagedDataSource(dataSourceOptions({ ...settings, embedded }));
    dataSource.closeEmbedded = () => embedded.close();
    return dataSource;
  }

  override async destroy(): Promise<void> {
    try {
      if (this.isInitialized) await super.destroy();
    } finally {
      await this.closeEmbedded?.();
    }
  }
}
