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

/** The plan for whatever parameters: EXPLAIN (GENERIC_PLAN) is only there since Postgres 16. */
function planOf(sql: string): Promise<string[]> {
  const params = new Set(sql.match(/\$\d+/g)).size;
  return database.dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await manager.query(`PREPARE planned AS ${sql}`);
    const lines = await manager.query<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN (COSTS OFF) EXECUTE planned (${Array(params).fill('NULL').join(', ')})`,
    );
    await manager.query('DEALLOCATE planned');
    return lines.map((line) => line['QUERY PLAN'].replace(/ on connections k$/, ' on connections').replaceAll(/\bk\./g, 'connections.'));
  });
}

it.each([
  ['claiming due events', CLAIM_DUE],
  ['taking over an event', CLAIM_EXPIRED],
  ['completing events', MARK_COMPLETED],
])('costs nothing: %s is planned as with the table itself', async (_name, sql) => {
  expect(sql).toContain(CONNECTIONS);
  expect(await planOf(sql)).toEqual(
    await planOf(sql.replaceAll(CONNECTIONS, `(SELECT c.*, json_build_array() AS sealed FROM connections c)`)),
  );
});

it('shows the same columns of a sync whether or not somebody syncs', async () => {
  const columnsOf = async (columns: string) => {
    const { columns: described } = await describeStatement(database.dataSource, `SELECT ${columns} FROM connections c`);
    return described.map(({ name, oid }) => ({ name, oid }));
  };
  expect(await columnsOf(SYNC_COLUMNS)).toEqual(await columnsOf(NO_SYNC));
});
