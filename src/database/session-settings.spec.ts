import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createServerDatabase, dropServerDatabase, onServer, testSeed } from '../../test/support/test-database';
import { DatabaseHealth } from './database-health';
import { LockPool } from './lock-pool';
import { ManagedDataSource } from './managed-data-source';

/** Each of them changes what the driver reads or what a statement means. */
const ODD = [
  `DateStyle = 'German, DMY'`,
  `IntervalStyle = 'sql_standard'`,
  `TimeZone = 'Asia/Kathmandu'`,
  `bytea_output = 'escape'`,
  `search_path = 'elsewhere'`,
  `statement_timeout = '5ms'`,
  `lock_timeout = '1ms'`,
  `idle_in_transaction_session_timeout = '1ms'`,
  `default_transaction_isolation = 'serializable'`,
  `default_transaction_deferrable = 'on'`,
  `default_transaction_read_only = 'on'`,
  `jit = 'on'`,
];

async function expectOurs(dataSource: DataSource, statementTimeout: string): Promise<void> {
  const at = new Date('2026-02-03T04:05:06.789Z');
  const [row] = await dataSource.query<object[]>(
    `SELECT $1::timestamptz AS at, '2026-02-03'::date::text AS day, '\\xdeadbeef'::bytea AS bytes, (interval '1 day 2 hours')::text AS span,
       current_setting('TimeZone') AS zone, current_schema() AS schema, current_setting('statement_timeout') AS statement,
       current_setting('jit') AS jit, current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle,
       current_setting('transaction_isolation') AS isolation, current_setting('transaction_deferrable') AS deferrable, (SELECT count(*)::int FROM connections) AS connections`,
    [at],
  );
  expect(row).toEqual({
    at,
    day: '2026-02-03',
    bytes: Buffer.from('deadbeef', 'hex'),
    span: '1 day 02:00:00',
    zone: 'UTC',
    schema: 'public',
    statement: statementTimeout,
    jit: 'off',
    lock: '0',
    idle: '1min',
    isolation: 'read committed',
    deferrable: 'off',
    connections: 0,
  });
  await dataSource.query('CREATE TABLE effect (id int)');
  expect(await dataSource.query('INSERT INTO effect VALUES (1) RETURNING id')).toEqual([{ id: 1 }]);
}

it('is ours in the embedded database, whatever that sets', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-session-'));
  const open = async () => (await ManagedDataSource.open({ dataDir, seed: await testSeed() })).initialize();
  const first = await open();
  for (const setting of ODD) await first.query(`ALTER DATABASE postgres SET ${setting}`);
  await first.destroy();

  const second = await open();
  await expectOurs(second, '0');
  await second.destroy();
  await rm(dataDir, { recursive: true });
});

const server = process.env['TEST_DATABASE_URL'] ?? '';
(server ? it : it.skip)('is ours on a server, in every pool, whatever the database and the role set', async () => {
  const url = await createServerDatabase(server);
  const database = new URL(url).pathname.slice(1);
  const role = `role_of_${database}`;
  for (const setting of ODD) await onServer(server, `ALTER DATABASE ${database} SET ${setting}`);
  await onServer(server, `CREATE ROLE ${role} LOGIN SUPERUSER`);
  await onServer(server, `ALTER ROLE ${role} SET DateStyle = 'SQL, DMY'`);
  const asRole = new URL(url);
  asRole.username = role;

  const dataSource = await ManagedDataSource.open({ databaseUrl: asRole.href, dataDir: '' });
  await dataSource.initialize();
  await expectOurs(dataSource, '30s');
  const locks = new LockPool(asRole.href);
  expect(await locks.transaction((transaction) => transaction.query('SHOW DateStyle'))).toEqual([{ DateStyle: 'ISO, MDY' }]);
  const health = new DatabaseHealth(dataSource, asRole.href);
  expect(await health.check()).toMatchObject({ status: 'ok' });
  await Promise.all([health.close(), locks.close()]);
  await dataSource.destroy();
  await dropServerDatabase(server, url);
  await onServer(server, `DROP ROLE ${role}`);
});
