import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { asTenant } from '.';

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = database.dataSource;
  for (const tenant of ['acme', 'globex']) {
    const id = uuidv7();
    await dataSource.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       VALUES ($1, $2, 'u1', 'slack', 'a', 'A', 'a', 'oauth2', 'connected')`,
      [id, tenant],
    );
    await dataSource.query('INSERT INTO record_sequences (connection_id, last_change) VALUES ($1, 1)', [id]);
    await dataSource.query(
      `INSERT INTO records (connection_id, resource, external_id, data, change_no) VALUES ($1, 'notes', 'x', jsonb_build_object('of', $2::text), 1)`,
      [id, tenant],
    );
    await dataSource.query(
      `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome)
       VALUES ($1, now(), $2, $2, 'u1', 'user', 'proxy.call', 'x', 'ok')`,
      [id, tenant],
    );
  }
});
afterAll(() => database.close());

const tenantsIn = async (sql: string, tenant: string) =>
  (await asTenant(dataSource, tenant).query<{ of: string }>(sql)).map((row) => row.of).sort();

it('shows a caller nothing of others where a statement forgets whose it asks for', async () => {
  expect(await tenantsIn('SELECT tenant AS of FROM connections', 'acme')).toEqual(['acme']);
  expect(await tenantsIn(`SELECT data->>'of' AS of FROM records`, 'globex')).toEqual(['globex']);
  expect(await tenantsIn('SELECT tenant AS of FROM audit_entries', 'acme')).toEqual(['acme']);
  expect(await tenantsIn('SELECT tenant AS of FROM connections', 'nobody')).toEqual([]);
  expect(await tenantsIn('SELECT tenant AS of FROM connections', '')).toEqual([]);
});

it('shows nothing at all where a caller’s transaction was told no organization', async () => {
  const rows = await dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL ROLE trestle_caller');
    return manager.query<unknown[]>('SELECT 1 FROM connections UNION ALL SELECT 1 FROM records');
  });
  expect(rows).toEqual([]);
});

it('shows a caller no secret, and lets it write nothing', async () => {
  const caller = asTenant(dataSource, 'acme');
  for (const table of ['tokens', 'token_refreshes', 'destination_secrets', 'grants', 'encryption_keys'])
    await expect(caller.query(`SELECT * FROM ${table}`)).rejects.toThrow(/permission denied/);
  await expect(caller.query(`UPDATE connections SET tenant = 'acme'`)).rejects.toThrow(/permission denied|read-only/);
});

it('leaves nothing of a caller on the connection, not even after a failure', async () => {
  const caller = asTenant(dataSource, 'acme');
  await expect(caller.query('SELECT 1 / 0')).rejects.toThrow(/division/);
  await Promise.all(Array.from({ length: 30 }, () => caller.query('SELECT 1')));
  const seen = await Promise.all(
    Array.from({ length: 30 }, () =>
      dataSource.query<{ n: number; role: string; tenant: string | null }[]>(
        `SELECT (SELECT count(*)::int FROM connections) AS n, current_user AS role, nullif(current_setting('trestle.tenant', true), '') AS tenant`,
      ),
    ),
  );
  for (const [row] of seen) {
    expect(row).toMatchObject({ n: 2, tenant: null });
    expect(row?.role).not.toBe('trestle_caller');
  }
});

it('lets an operator read everybody’s', async () => {
  expect(await asTenant(dataSource, undefined).query('SELECT tenant FROM connections')).toHaveLength(2);
});
