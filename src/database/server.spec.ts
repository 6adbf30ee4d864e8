import { randomUUID } from 'node:crypto';
import { createTestDatabase, dropServerDatabase, onServer, withDatabase, type TestDatabase } from '../../test/support/test-database';
import { connectDatabase } from './connect-database';
import { DatabaseHealth } from './database-health';
import { durabilityWarnings } from './durability';
import { LockPool } from './lock-pool';
import { MIGRATIONS } from './migrations';
import { MIGRATION_LOCK, migrateServer } from './migrator';
import { inTransaction } from './transaction';

const server = process.env['TEST_DATABASE_URL'] ?? '';
const describeOnServer = server ? describe : describe.skip;

describeOnServer('on a Postgres server', () => {
  let database: TestDatabase;
  let url: string;
  beforeEach(async () => {
    database = await createTestDatabase({ databasePoolMax: 3 });
    url = database.url ?? '';
  });
  afterEach(() => database.close());

  /** What a restart does to us: every connection to the database ends. */
  const endAllConnections = async () => {
    const name = new URL(url).pathname.slice(1);
    await onServer(server, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
  };

  /** Each of the pool's three may be found dead by the statement that it is given to, once. */
  const onALivingConnection = async (sql: string): Promise<unknown> => {
    for (let dead = 0; ; dead++) {
      try {
        return await database.dataSource.query(sql);
      } catch (error) {
        if (dead === 3) throw error;
      }
    }
  };

  it('applies the migrations once when four migrators start at once', async () => {
    const empty = withDatabase(server, `trestle_test_${randomUUID().replaceAll('-', '')}`);
    await onServer(server, `CREATE DATABASE ${new URL(empty).pathname.slice(1)}`);
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrateServer(empty)));
    expect(applied.filter((names) => names.length > 0)).toEqual([MIGRATIONS.map(({ name }) => name)]);
    await dropServerDatabase(server, empty);
  });

  it('waits for no other migrator where there is nothing to migrate', async () => {
    const other = database.dataSource.createQueryRunner();
    await other.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    expect(await migrateServer(url)).toEqual([]);
    await other.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await other.release();
  });

  it('goes on after every connection was ended, idle or in the middle of a statement', async () => {
    const { dataSource } = database;
    await Promise.all(Array.from({ length: 3 }, () => dataSource.query('SELECT pg_sleep(0.05)')));
    await endAllConnections();
    expect(await onALivingConnection('SELECT 1 AS one')).toEqual([{ one: 1 }]);

    const inFlight = inTransaction(dataSource, async (manager) => {
      await manager.query('CREATE TABLE half_done (id int)');
      await endAllConnections();
      await manager.query('SELECT 1');
    });
    await expect(inFlight).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await onALivingConnection("SELECT to_regclass('half_done') AS found")).toEqual([{ found: null }]);
  });

  it('does not call a full pool a dead database', async () => {
    const health = new DatabaseHealth(database.dataSource, url);
    const runners = Array.from({ length: 3 }, () => database.dataSource.createQueryRunner());
    await Promise.all(runners.map((runner) => runner.connect()));
    expect(await health.check(1_000)).toMatchObject({ status: 'ok', kind: 'server' });
    await Promise.all(runners.map((runner) => runner.release()));
    await endAllConnections();
    await health.check(1_000);
    expect(await health.check(1_000)).toMatchObject({ status: 'ok' });
    await health.close();
  });

  it('says plainly when commits do not wait for the disk', async () => {
    expect(await durabilityWarnings(database.dataSource)).toEqual([]);
    const name = new URL(url).pathname.slice(1);
    await onServer(server, `ALTER DATABASE ${name} SET synchronous_commit = off`);
    await endAllConnections();
    const reconnected = await connectDatabase({ databaseUrl: url, dataDir: '' });
    expect(await durabilityWarnings(reconnected)).toEqual([expect.stringContaining('synchronous_commit = off')]);
    await reconnected.destroy();
  });

  describe('the lock pool', () => {
    let locks: LockPool;
    beforeEach(async () => {
      locks = new LockPool(url);
      await database.dataSource.query('CREATE TABLE token (id int PRIMARY KEY, version int)');
      await database.dataSource.query('INSERT INTO token VALUES (1, 0)');
    });
    afterEach(() => locks.close());

    it('lets one of 20 callers through at a time, while the main pool stays free', async () => {
      let inside = 0;
      let most = 0;
      const refresh = () =>
        locks.transaction(async (tx) => {
          await tx.query('SELECT * FROM token WHERE id = 1 FOR UPDATE');
          most = Math.max(most, ++inside);
          expect(await database.dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
          inside--;
          return tx.query('UPDATE token SET version = version + 1 RETURNING version');
        });
      const results = await Promise.all(Array.from({ length: 20 }, refresh));
      expect(most).toBe(1);
      expect(
        results
          .flat()
          .map(({ version }) => version)
          .sort((a, b) => Number(a) - Number(b)),
      ).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    it('rolls back and frees the row when the work fails, and when the connection is lost', async () => {
      await expect(
        locks.transaction(async (tx) => {
          await tx.query('UPDATE token SET version = 9');
          throw new Error('on purpose');
        }),
      ).rejects.toThrow('on purpose');
      await expect(
        locks.transaction(async (tx) => {
          await tx.query('UPDATE token SET version = 9');
          await endAllConnections();
          await tx.query('SELECT 1');
        }),
      ).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(await locks.transaction((tx) => tx.query('SELECT version FROM token FOR UPDATE'))).toEqual([{ version: 0 }]);
    });
  });
});

describe('without a server that answers', () => {
  it('reports the database as down within its time', async () => {
    const health = new DatabaseHealth(undefined as never, 'postgres://nobody@127.0.0.1:1/none');
    expect(await health.check(1_000)).toMatchObject({ status: 'down', detail: 'The database cannot be reached.' });
    await health.close();
  });
});
