import { describeStatement } from '../../../test/support/statements/describe-statement';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { SYNC_COLUMNS } from '../sync/runs/sync-columns';
import { CLAIM_DUE, CLAIM_EXPIRED, MARK_COMPLETED } from '../webhooks/processing/claim.queries';
import { CONNECTIONS } from './connection.fragments';
import { NO_SYNC } from './connection.repository';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function planOf(sql: string): Promise<string[]> {
  const lines = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (GENERIC_PLAN, COSTS OFF) ${sql}`);
  return lines.map((line) => line['QUERY PLAN'].replace(/ on connections k$/, ' on connections').replaceAll(/\bk\./g, 'connections.'));
}

it.each([
  ['claiming due events', CLAIM_DUE],
  ['taking over an event', CLAIM_EXPIRED],
  ['completing events', MARK_COMPLETED],
])('costs nothing: %s is planned as with the table itself', async (_name, sql) => {
  expect(sql).toContain(CONNECTIONS);
  expect(await planOf(sql)).toEqual(await planOf(sql.replaceAll(CONNECTIONS, 'connections')));
});

it('shows the same columns of a sync whether or not somebody syncs', async () => {
  const columnsOf = async (columns: string) => {
    const { columns: described } = await describeStatement(database.dataSource, `SELECT ${columns} FROM connections c`);
    return described.map(({ name, oid }) => ({ name, oid }));
  };
  expect(await columnsOf(SYNC_COLUMNS)).toEqual(await columnsOf(NO_SYNC));
});
