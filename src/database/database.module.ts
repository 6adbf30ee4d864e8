import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { systemClock } from '../clock';
import { SETTINGS } from '../config/config.module';
import type { Migration } from '../config/data-source-options';
import type { Settings } from '../config/env';
import { asService } from './caller-scope';
import { connectPrepared, prepareDatabase, type PreparedDatabase } from './connect-database';
import { DatabaseHealth } from './database-health';
import { DatabaseInfo } from './database-info';
import { DatabaseMetrics } from './database-metrics';
import { LOCK_POOL, LockPool } from './lock-pool';
import { DATABASE, DATABASE_TOKEN, OWN_DATA_SOURCE } from './own-database';
import { OnlyProcess, PROCESS_SIGNS, ProcessSession } from './process-session';
import { makePartitionsAhead } from './time-partitions';

/** What Nest's TypeORM module hands on to the factory of the DataSource. */
type Options = TypeOrmModuleOptions & { name: string; prepared: PreparedDatabase };

/** The database: opened, migrated, watched and closed. Gives `DATABASE_TOKEN`, `DatabaseInfo`, `DatabaseHealth`, `LOCK_POOL` and `PROCESS_SIGNS`. Global, as TypeORM's own module is: Trestle has one database. */
@Global()
@Module({
  providers: [
    OWN_DATA_SOURCE,
    DatabaseMetrics,
    {
      provide: DatabaseInfo,
      inject: [SETTINGS],
      useFactory: (settings: Settings) => new DatabaseInfo(settings.databaseUrl ? 'server' : 'embedded'),
    },
    {
      provide: DatabaseHealth,
      inject: [DATABASE_TOKEN, SETTINGS],
      useFactory: (dataSource: DataSource, settings: Settings) => new DatabaseHealth(dataSource, settings.databaseUrl),
    },
    {
      provide: LOCK_POOL,
      inject: [SETTINGS],
      useFactory: (settings: Settings) => (settings.databaseUrl ? new LockPool(settings.databaseUrl) : null),
    },
    {
      provide: PROCESS_SIGNS,
      inject: [SETTINGS],
      useFactory: (settings: Settings) => (settings.databaseUrl ? new ProcessSession(settings.databaseUrl) : new OnlyProcess()),
    },
  ],
  exports: [DatabaseInfo, DatabaseHealth, LOCK_POOL, PROCESS_SIGNS],
})
export class DatabaseModule implements OnModuleInit, OnApplicationShutdown {
  /** @param migrations the product's own, beside those of the core */
  static forRoot(migrations: readonly Migration[] = []): DynamicModule {
    return { module: DatabaseModule, imports: [typeOrm(migrations)] };
  }

  constructor(
    private readonly health: DatabaseHealth,
    @Inject(LOCK_POOL) private readonly lockPool: LockPool | null,
    @Inject(PROCESS_SIGNS) private readonly process: OnlyProcess | ProcessSession,
    @Inject(DATABASE_TOKEN) private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async onModuleInit(): Promise<void> {
    void this.process.open(); // nothing waits for it
    await this.makePartitions();
  }

  /** Before anything is stored. Without one of them rows are kept all the same, and the tick of the retention tries again. */
  private async makePartitions(): Promise<void> {
    try {
      await asService(() => makePartitionsAhead(this.dataSource, this.settings.retentionDays, systemClock.now()));
    } catch (cause) {
      new Logger('Database').warn({
        msg: 'The partitions of the next days could not be made at the start; tried again in ten minutes.',
        cause,
      });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.health.close(), this.lockPool?.close(), this.process.close()]);
  }
}

function typeOrm(migrations: readonly Migration[]): DynamicModule {
  return TypeOrmModule.forRootAsync({
    name: DATABASE,
    inject: [SETTINGS],
    // here and not in the factory of the DataSource: Nest would answer its failure with "Retrying"
    useFactory: async (settings: Settings): Promise<Options> => ({
      name: DATABASE, // by it the module finds its DataSource to close it
      type: 'postgres',
      autoLoadEntities: true,
      retryAttempts: 1,
      prepared: await prepareDatabase({ ...databaseSettings(settings), migrations }),
    }),
    dataSourceFactory: async (options) => connectPrepared((options as Options).prepared, options?.entities),
  });
}

function databaseSettings({ databaseUrl, migrationDatabaseUrl, production, dataDir, databasePoolMax }: Settings) {
  return { databaseUrl, migrationDatabaseUrl, production, dataDir, databasePoolMax };
}
