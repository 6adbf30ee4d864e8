import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test, type TestingModule } from '@nestjs/testing';
import { EntitiesMetadataStorage } from '@nestjs/typeorm/dist/entities-metadata.storage';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type DataSource, EntitySchema } from 'typeorm';
import { createTestDatabase, layEmbeddedDatabase } from '../../test/support/test-database';
import { ConfigModule } from '../config/config.module';
import type { Settings } from '../config/env';
import { loadSettings } from '../config/env';
import { DATABASE, DATABASE_TOKEN, DatabaseHealth, DatabaseInfo, DatabaseModule, LOCK_POOL } from '.';
import { MIGRATIONS } from './migrations';

const note = new EntitySchema<{ id: number }>({ name: 'note', columns: { id: { type: 'int', primary: true } } });

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

describe('DatabaseModule', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trestle-module-'));
  });
  afterEach(() => {
    // kept by the library for whoever comes next in this process
    const entities = EntitiesMetadataStorage.getEntitiesByDataSource(DATABASE) as unknown[];
    if (entities.includes(note)) entities.splice(entities.indexOf(note), 1);
    return rm(dataDir, { recursive: true });
  });

  async function start(overrides: Partial<Settings> = {}): Promise<TestingModule> {
    const settings = { ...loadSettings({ DATA_DIR: dataDir }, []), ...overrides };
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(settings), DatabaseModule.forRoot(), TypeOrmModule.forFeature([note], DATABASE)],
    })
      .setLogger(SILENT)
      .compile();
    return module.init();
  }

  it('makes the embedded database from nothing, migrated, and finds it again at the next start', async () => {
    const first = await start();
    expect(await first.get<DataSource>(DATABASE_TOKEN).query('SELECT count(*)::int AS n FROM migrations')).toEqual([
      { n: MIGRATIONS.length },
    ]);
    expect(first.get<DataSource>(DATABASE_TOKEN).hasMetadata(note)).toBe(true);
    expect(first.get(DatabaseInfo).isEmbedded).toBe(true);
    expect(first.get(LOCK_POOL)).toBeNull();
    expect(await first.get(DatabaseHealth).check()).toMatchObject({ status: 'ok', kind: 'embedded' });
    await first.get<DataSource>(DATABASE_TOKEN).query("CREATE TABLE kept AS SELECT 'yes' AS answer");
    await first.close();

    const second = await start();
    expect(await second.get<DataSource>(DATABASE_TOKEN).query('SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
    await second.close();
  }, 120_000);

  it('refuses a second start on the folder at once, in plain words, and leaves the first running', async () => {
    layEmbeddedDatabase(dataDir);
    const first = await start();
    const started = performance.now();
    await expect(start()).rejects.toThrow(/in use by another process \(pid \d+\).*another DATA_DIR.*set DATABASE_URL/);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await first.get<DataSource>(DATABASE_TOKEN).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await first.close();
  });

  it('uses the server of DATABASE_URL, with a pool for locks, and closes everything', async () => {
    const database = await createTestDatabase();
    if (database.url) {
      const module = await start({ databaseUrl: database.url });
      expect(module.get(DatabaseInfo).kind).toBe('server');
      expect(await module.get(LOCK_POOL).transaction((tx: { query(sql: string): unknown }) => tx.query('SELECT 1 AS one'))).toEqual([
        { one: 1 },
      ]);
      expect(await module.get(DatabaseHealth).check()).toMatchObject({ status: 'ok', kind: 'server' });
      await module.close();
      // The server ends its side of a closed connection by itself, a moment later.
      const others = `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;
      const open = async () => ((await database.dataSource.query(others)) as { n: number }[])[0]?.n;
      for (const end = Date.now() + 5_000; (await open()) !== 0 && Date.now() < end;) await sleep(10);
      expect(await open()).toBe(0);
    }
    await database.close();
  });
});
