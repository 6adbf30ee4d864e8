import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { systemClock } from '../../clock';
import { DatabaseInfo, firstIdOf, timePartitions } from '../../database';
import { Retention } from './retention';
import { expectWritten } from '../../../test/support/written-docs';
import { RETENTIONS } from './retention-list';

let database: TestDatabase;
let retention: Retention;
beforeAll(async () => {
  database = await createTestDatabase();
  retention = new Retention(database.dataSource, new DatabaseInfo(database.kind), { retentionDays: 30 }, systemClock);
});
afterAll(() => database.close());

it('knows of every table what ends its rows', async () => {
  const tables = await database.dataSource.query<{ name: string }[]>(
    `SELECT DISTINCT coalesce(p.relname, c.relname) AS name FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('migrations', 'payment_notes') ORDER BY 1`,
  );
  expect(tables.map(({ name }) => name).filter((name) => !(name in RETENTIONS))).toEqual([]);
});

it('docs/retention.md lists every table', () => {
  const days = (of: (retentionDays: number) => number) => {
    const [few, some, many] = [of(3), of(90), of(1_000)];
    if (few === many) return many === 0 ? 'at once' : `${many} ${many === 1 ? 'day' : 'days'}`;
    if (few === 3 && many === 1_000) return '`RETENTION_DAYS`';
    return few === 3 ? `\`RETENTION_DAYS\`, ${some} days at most` : `\`RETENTION_DAYS\`, ${few} days at least`;
  };
  const rows = Object.entries(RETENTIONS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, retention]) => {
      if ('column' in retention)
        return [table, `${days(retention.days)} after \`${retention.column}\`${retention.only ? ', once it is over' : ''}`, 'rows'];
      if ('partitionedDays' in retention)
        return [table, `${days(retention.partitionedDays)}, and until its partition is over`, 'partitions'];
      if ('by' in retention) return [table, retention.by.replace(/\b(RETENTION_DAYS|ENDED_CONNECTION_DAYS)\b/g, '`$1`'), ''];
      return [table, 'with' in retention ? `with \`${retention.with}\`` : `stays ${retention.stays}`, ''];
    });
  const lines = rows.map(([table, what, how]) => `| \`${table}\` | ${what} | ${how} |`);
  expectWritten(
    'docs/retention.md',
    () => `# How long rows are kept

What ends the rows of each table. In words, and what it means for a person's data: [operations](operations.md#what-is-kept-and-how-long). Rows are deleted in short statements, every ten minutes, until nothing is overdue; [partitions](decisions/0020-partitions-by-time.md) are dropped whole. How fast: [scaling](scaling.md#what-goes-out).

This page is made of the code.

| table | kept | ended as |
|---|---|---|
${lines.join('\n')}
`,
  );
});

it('deletes all that is overdue, however much it is, and nothing else', async () => {
  await database.dataSource.query(
    `INSERT INTO webhook_replays (id, actor, filter, matched, at)
     SELECT gen_random_uuid(), 'ann', '{}', 0, now() - make_interval(days => CASE WHEN n <= 12000 THEN 31 ELSE 29 END) FROM generate_series(1, 12010) n`,
  );
  const [connection, old, waiting] = [uuidv7(), uuidv7(), uuidv7()];
  await database.dataSource.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     VALUES ($1, 't1', 'u1', 'acme', 'a', 'Acme', 'a', 'oauth2', 'connected')`,
    [connection],
  );
  for (const [id, status] of [
    [old, 'succeeded'],
    [waiting, 'paused'],
  ])
    await database.dataSource.query(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, finished_at) VALUES ($1, $2, 't1', 'acme', 'full', 'schedule', $3, now() - interval '31 days')`,
      [id, connection, status],
    );
  await retention.sweep();
  const count = async (table: string) =>
    (await database.dataSource.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;
  expect(await count('webhook_replays')).toBe(10);
  expect(await database.dataSource.query('SELECT id FROM sync_runs')).toEqual([{ id: waiting }]);
});

it('drops parts of the request log that are over, deletes what came before there were any, and keeps the rest', async () => {
  const dayMs = 86_400_000;
  const log = (days: number) =>
    database.dataSource.query(
      `INSERT INTO request_log (id, at, provider, method, endpoint, outcome, attempt, duration_ms) VALUES ($1, now() - make_interval(days => $2::int), 'acme', 'GET', 'x', 'ok', 1, 5)`,
      [firstIdOf(Date.now() - days * dayMs), days],
    );
  const then = Date.now() - 62 * dayMs;
  await database.dataSource.query(`SELECT make_time_partition('request_log', $1, $2)`, [then, then + 7 * dayMs]);
  const [over] = await timePartitions(database.dataSource, 'request_log');
  for (const days of [90, 60, 31, 29, 0]) await log(days);
  await retention.sweep();
  const left = await database.dataSource.query<{ days: number }[]>(
    'SELECT round(extract(epoch FROM now() - at) / 86400)::int AS days FROM request_log ORDER BY 1',
  );
  expect(left.map(({ days }) => days)).toEqual([0, 29]);
  const names = (await timePartitions(database.dataSource, 'request_log')).map(({ name }) => name);
  expect(names).not.toContain(over?.name);
  expect(names.length).toBeGreaterThan(1); // those of today
});

it('ends rows of partitioned tables by their partitions: two rows of one may lie in the same place', async () => {
  const partitioned = await timePartitions(database.dataSource);
  const byRows = Object.entries(RETENTIONS).flatMap(([table, retention]) => ('column' in retention ? [table] : []));
  expect(partitioned.filter(({ table }) => byRows.includes(table))).toEqual([]);
});

// A server vacuums by itself.
(process.env['TEST_DATABASE_URL'] ? it.skip : it)(
  'gives back the room of what it deleted, which the embedded database does not by itself',
  async () => {
    const round = async () => {
      await database.dataSource.query(
        `INSERT INTO webhook_replays (id, actor, filter, matched, at)
       SELECT gen_random_uuid(), 'ann', '{}', 0, now() - interval '31 days' FROM generate_series(1, 20000) n`,
      );
      const [size] = await database.dataSource.query<{ bytes: string }[]>(`SELECT pg_relation_size('webhook_replays') AS bytes`);
      await retention.sweep();
      return Number(size?.bytes);
    };
    const first = await round();
    for (let again = 0; again < 3; again++) expect(await round()).toBeLessThan(first * 1.1);
  },
);

it('gives back the room of rows that others deleted or changed, where it deletes none itself', async () => {
  const size = async () =>
    Number((await database.dataSource.query<{ bytes: string }[]>(`SELECT pg_relation_size('object_marks') AS bytes`))[0]?.bytes);
  const [{ id }] = (await database.dataSource.query<{ id: string }[]>('SELECT id FROM connections LIMIT 1')) as [{ id: string }];
  await database.dataSource.query(
    `INSERT INTO object_marks (connection_id, object_key, version, event_id) SELECT $1::uuid, 'o' || n, 1, 'e' FROM generate_series(1, 20000) n`,
    [id],
  );
  const first = await size();
  for (let round = 1; round <= 4; round++) {
    await database.dataSource.query(`UPDATE object_marks SET event_id = 'f' || $1::text`, [round]);
    await retention.sweep();
    if (database.kind !== 'embedded') await database.dataSource.query('VACUUM object_marks'); // as a server does by itself
  }
  expect(await size()).toBeLessThan(first * 2.5); // each round would add as much again
  await database.dataSource.query('DELETE FROM object_marks');
  await retention.sweep();
  if (database.kind === 'embedded') expect(await size()).toBe(0);
});
