import type { MigrationInterface } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { firstIdOf, makePartitionsAhead, timePartitions } from '..';
import { TimePartitions1764975000000 } from './1764975000000-time-partitions';
import { ListIndexes1764975100000 } from './1764975100000-list-indexes';

const DAY_MS = 86_400_000;
const migration = new TimePartitions1764975000000();

describe('A filled database of the version before partitions by time', () => {
  let database: TestDatabase;
  const query = <Row extends object>(sql: string, params: unknown[] = []) => database.dataSource.query<Row[]>(sql, params);
  const migrate = async (way: 'up' | 'down', one: MigrationInterface = migration) => {
    const runner = database.dataSource.createQueryRunner();
    await runner.startTransaction();
    await one[way](runner);
    await runner.commitTransaction();
    await runner.release();
  };
  const held = async () => ({
    payloads: await query(`SELECT id, headers, encode(body, 'hex') AS body FROM webhook_payloads ORDER BY id`),
    log: await query('SELECT * FROM request_log ORDER BY id'),
  });
  const indexes = () =>
    query<{ table: string; index: string }>(
      `SELECT c.relname AS "table", regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING', '') AS index
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname IN ('webhook_payloads', 'request_log') ORDER BY 1, 2`,
    );
  const policies = () =>
    query(
      `SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE tablename IN ('webhook_payloads', 'request_log') ORDER BY 1, 2`,
    );

  beforeEach(async () => {
    database = await createTestDatabase();
    await migrate('down', new ListIndexes1764975100000()); // it came after
  });
  afterEach(() => database.close());

  it('keeps every row, index and policy, there and back', async () => {
    const [indexesOfToday, policiesOfToday] = [await indexes(), await policies()];
    await migrate('down');
    expect(await indexes()).toEqual(indexesOfToday);
    expect(await policies()).toEqual(policiesOfToday);
    const ages = [90, 40, 8, 1, 0, -30];
    for (const days of ages) {
      await query('INSERT INTO webhook_payloads (id, body) VALUES ($1, $2)', [
        firstIdOf(Date.now() - days * DAY_MS),
        Buffer.from(`of ${days}`),
      ]);
      await query(
        `INSERT INTO request_log (id, at, provider, tenant, method, endpoint, outcome, attempt, duration_ms, provider_code)
         VALUES ($1, now() - make_interval(days => $2::int), 'acme', 't1', 'GET', 'x', 'ok', 1, 5, 'c')`,
        [firstIdOf(Date.now() - days * DAY_MS), days],
      );
    }
    const before = await held();
    await migrate('up');
    expect(await held()).toEqual(before);
    expect(await indexes()).toEqual(indexesOfToday);
    expect(await policies()).toEqual(policiesOfToday);
    const [first, ...others] = await timePartitions(database.dataSource, 'webhook_payloads');
    expect(first).toMatchObject({ name: 'webhook_payloads_before', toMs: expect.any(Number) as number });
    expect(first?.fromMs).toBeUndefined();
    expect(others.map(({ name }) => name)).toEqual(['webhook_payloads_rest']);

    expect(await makePartitionsAhead(database.dataSource, 30, Date.now())).toEqual([]);
    const tomorrow = (first?.toMs ?? 0) + 1_000;
    await query('INSERT INTO webhook_payloads (id, body) VALUES ($1, $2)', [firstIdOf(tomorrow), Buffer.from('new')]);
    expect(await query('SELECT tableoid::regclass::text AS place FROM webhook_payloads WHERE id = $1', [firstIdOf(tomorrow)])).toEqual([
      { place: `webhook_payloads_${new Date(tomorrow).toISOString().slice(0, 10).replaceAll('-', '_')}` },
    ]);
    await query('DELETE FROM webhook_payloads WHERE id = $1', [firstIdOf(tomorrow)]);

    await migrate('down');
    expect(await held()).toEqual(before);
    expect(await indexes()).toEqual(indexesOfToday);
  });

  it('shows the part from before to nobody past the table', async () => {
    await migrate('down');
    await query('INSERT INTO webhook_payloads (id, body) VALUES ($1, $2)', [uuidv7(), Buffer.from('x')]);
    await migrate('up');
    const [rights] = await query(
      `SELECT has_table_privilege('trestle_worker', 'webhook_payloads_before', 'SELECT') AS worker, has_table_privilege('trestle_caller', 'webhook_payloads_before', 'SELECT') AS caller`,
    );
    expect(rights).toEqual({ worker: false, caller: false });
  });
});
