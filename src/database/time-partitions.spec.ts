import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { CALLER_ROLE, deletedUpTo, dropPartition, firstIdOf, makePartitionsAhead, partitionsOver, timePartitions, WORKER_ROLE } from '.';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-25T12:00:00Z'); // a Wednesday
const KEPT_DAYS = 30;

let database: TestDatabase;
let dataSource: DataSource;
beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = database.dataSource;
});
afterEach(() => database.close());

const store = (ms: number, body = 'x') =>
  dataSource.query('INSERT INTO webhook_payloads (id, body) VALUES ($1, $2)', [firstIdOf(ms), Buffer.from(body)]);
const places = async () =>
  (await dataSource.query<{ place: string }[]>('SELECT tableoid::regclass::text AS place FROM webhook_payloads ORDER BY id')).map(
    ({ place }) => place,
  );
const names = async () => (await timePartitions(dataSource, 'webhook_payloads')).map(({ name }) => name);

/** As the service runs where it owns nothing. */
const asRole = (role: string, sql: string) =>
  dataSource.transaction(async (manager) => {
    await manager.query(`SET LOCAL ROLE ${role}`);
    return manager.query<unknown[]>(sql);
  });

it('makes the weeks of today and of the next days, for every table that is partitioned by time, once', async () => {
  expect(await makePartitionsAhead(dataSource, KEPT_DAYS, NOW)).toEqual([]);
  await makePartitionsAhead(dataSource, KEPT_DAYS, NOW);
  expect(await names()).toEqual(['webhook_payloads_2026_11_23', 'webhook_payloads_rest']);
  await makePartitionsAhead(dataSource, KEPT_DAYS, NOW + 2 * DAY_MS);
  expect(await names()).toEqual(['webhook_payloads_2026_11_23', 'webhook_payloads_2026_11_30', 'webhook_payloads_rest']);
  expect((await timePartitions(dataSource)).filter(({ name }) => /_2026_11_23$/.test(name)).map(({ table }) => table)).toEqual(
    expect.arrayContaining(['request_log', 'webhook_payloads']),
  );
  await store(NOW);
  await store(NOW + 6 * DAY_MS);
  await store(NOW - 40 * DAY_MS);
  expect(await places()).toEqual(['webhook_payloads_rest', 'webhook_payloads_2026_11_23', 'webhook_payloads_2026_11_30']);
});

it('makes days where little is kept, and months where much is, each after what there is already', async () => {
  await makePartitionsAhead(dataSource, KEPT_DAYS, NOW);
  await makePartitionsAhead(dataSource, 2, NOW + 4 * DAY_MS); // until Wednesday, the 2nd of December
  await makePartitionsAhead(dataSource, 365, NOW + 9 * DAY_MS);
  const partitions = (await timePartitions(dataSource, 'request_log')).filter(({ toMs }) => toMs);
  const spans = partitions.map(({ fromMs = 0, toMs = 0 }) => (toMs - fromMs) / DAY_MS);
  expect(spans.slice(0, 4)).toEqual([7, 1, 1, 1]);
  expect(spans.at(-1)).toBeGreaterThan(7);
  for (const [at, { toMs }] of partitions.slice(0, -1).entries()) expect(partitions[at + 1]?.fromMs).toBe(toMs);
});

it('takes into a new partition what came before it was there', async () => {
  await store(NOW);
  await store(NOW - 60 * DAY_MS);
  expect(await places()).toEqual(['webhook_payloads_rest', 'webhook_payloads_rest']);
  expect(await makePartitionsAhead(dataSource, KEPT_DAYS, NOW)).toEqual([]);
  expect(await places()).toEqual(['webhook_payloads_rest', 'webhook_payloads_2026_11_23']);
});

it('drops what is over whole, and deletes no row of a partition that is over in part only', async () => {
  await makePartitionsAhead(dataSource, KEPT_DAYS, NOW);
  await store(NOW);
  const partitions = await timePartitions(dataSource, 'webhook_payloads');
  const [week] = partitions;
  const inTheWeek = NOW + DAY_MS;
  expect(partitionsOver(partitions, inTheWeek)).toEqual([]);
  expect(deletedUpTo(partitions, inTheWeek)).toBe(week?.fromMs);
  expect(deletedUpTo(partitions, NOW - 30 * DAY_MS)).toBe(NOW - 30 * DAY_MS);
  const over = partitionsOver(partitions, week?.toMs ?? 0);
  expect(over).toEqual([week]);
  expect(await dropPartition(dataSource, over[0]!, () => Promise.resolve(true))).toBe(false);
  expect(await places()).toEqual(['webhook_payloads_2026_11_23']);
  expect(await dropPartition(dataSource, over[0]!)).toBe(true);
  expect(await places()).toEqual([]);
});

it('lets the service, which owns nothing, make and drop them, and nobody else, and nothing of the audit', async () => {
  const make = `SELECT make_time_partition('webhook_payloads', ${NOW - DAY_MS}, ${NOW})`;
  await expect(asRole(CALLER_ROLE, make)).rejects.toThrow(/permission denied/);
  await asRole(WORKER_ROLE, make);
  const [made] = await timePartitions(dataSource, 'webhook_payloads');
  await expect(asRole(CALLER_ROLE, `SELECT drop_time_partition('${made?.name}')`)).rejects.toThrow(/permission denied/);
  await expect(asRole(WORKER_ROLE, `SELECT * FROM ${made?.name}`)).rejects.toThrow(/permission denied/);
  await asRole(WORKER_ROLE, `SELECT lock_time_partition('${made?.name}'), drop_time_partition('${made?.name}')`);
  expect(await names()).toEqual(['webhook_payloads_rest']);
  for (const name of ['audit_entries_rest', 'webhook_payloads_rest', 'connections', `x"; DROP TABLE connections; --`]) {
    await expect(asRole(WORKER_ROLE, `SELECT drop_time_partition('${name}')`)).rejects.toThrow(/no partition by time/);
    await expect(asRole(WORKER_ROLE, `SELECT lock_time_partition('${name}')`)).rejects.toThrow(/no partition by time/);
  }
  await expect(asRole(WORKER_ROLE, `SELECT make_time_partition('audit_entries', 0, 1)`)).rejects.toThrow(/no partitions by time/);
});

// The embedded database has one connection: nobody else can hold a lock there.
(process.env['TEST_DATABASE_URL'] ? it : it.skip)('leaves a partition that somebody reads, rather than make everybody wait', async () => {
  await makePartitionsAhead(dataSource, KEPT_DAYS, NOW);
  await store(NOW);
  const [week] = await timePartitions(dataSource, 'webhook_payloads');
  await dataSource.transaction(async (reader) => {
    await reader.query('SELECT 1 FROM webhook_payloads FOR KEY SHARE');
    expect(await dropPartition(dataSource, week!)).toBe(false);
  });
  expect(await dropPartition(dataSource, week!)).toBe(true);
});
