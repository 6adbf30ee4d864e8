import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { CALLER_ROLE, WORKER_ROLE } from '.';

/** Nothing in them is an organization's. A new table is not to be named here, but locked with `lockTenantRows`. */
const NOBODYS = ['encryption_keys', 'grants', 'migrations', 'webhook_refusals'];
/** A caller's statement cannot even name them. */
const CLOSED = ['token_refreshes', 'tokens'];
/** Of these a caller's statement reads its own rows, and may do less than it may with the others. */
const NOT_CHANGED = ['audit_entries', 'webhook_payloads'];

/** Their rows are made by the rows that they count. */
const COUNTS = ['connection_counts'];

const TENANTS = ['acme', 'globex'] as const;
type Tenant = (typeof TENANTS)[number];

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly needed: boolean;
}

let database: TestDatabase;
let dataSource: DataSource;
let tables: string[];
let columns: Column[];
/** Of each organization: what its rows refer to. */
const ids = Object.fromEntries(
  TENANTS.map((tenant) => {
    const [connection, token, destination, message, payload] = [uuidv7(), uuidv7(), uuidv7(), uuidv7(), uuidv7()];
    const own = { connections: connection, tokens: token, destinations: destination, outbox: message };
    const refers = { connection_id: connection, token_id: token, destination_id: destination, message_id: message, payload_id: payload };
    return [tenant, { own: { ...own, outbox_payloads: payload, webhook_payloads: payload, webhook_events: payload }, refers }];
  }),
) as unknown as Record<Tenant, { own: Record<string, string>; refers: Record<string, string> }>;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = database.dataSource;
  const found = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
  );
  tables = found.map(({ name }) => name).filter((name) => !NOBODYS.includes(name));
  columns = await dataSource.query<Column[]>(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AND NOT a.atthasdef AS needed
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [tables],
  );
  for (const tenant of TENANTS) await plantAll(tenant);
  await dataSource.query(`DELETE FROM connection_counts WHERE tenant = ''`); // the sums of all are nobody's
});
afterAll(() => database.close());

/** A row of the organization's in each table, as its columns ask for it; what others refer to comes first. */
async function plantAll(tenant: Tenant): Promise<void> {
  const first = ['connections', 'tokens', 'destinations', 'outbox_payloads', 'outbox', 'record_sequences'];
  for (const table of [...first, ...tables.filter((name) => ![...first, ...COUNTS].includes(name))]) await plant(dataSource, table, tenant);
}

async function plant(db: DataSource | EntityManager, table: string, tenant: Tenant): Promise<void> {
  const values = columns
    .filter((column) => column.table === table)
    .flatMap((column) => (isSet(column, tenant) ? [{ name: column.name, value: valueOf(column, tenant) }] : []));
  await db.query(
    `INSERT INTO ${table} (${values.map(({ name }) => name).join(', ')}) VALUES (${values.map((_, index) => `$${index + 1}`).join(', ')})`,
    values.map(({ value }) => value),
  );
}

const isSet = ({ name, needed }: Column, tenant: Tenant) => needed || name === 'tenant' || name in ids[tenant].refers;

function valueOf({ table, name, type }: Column, tenant: Tenant): unknown {
  if (name === 'tenant') return tenant;
  if (name in ids[tenant].refers) return ids[tenant].refers[name];
  if (name === 'id' && table in ids[tenant].own) return ids[tenant].own[table];
  if (type === 'uuid') return uuidv7();
  if (type.endsWith('[]')) return '{}';
  if (type === 'jsonb') return '{}';
  if (type === 'boolean') return false;
  if (/int|numeric|double/.test(type)) return 1;
  if (/timestamp/.test(type)) return new Date();
  return `${tenant} ${name}`;
}

/** What the caller's role does to the database, and what comes of it; nothing of it stays. */
async function asCaller<T>(tenant: Tenant, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    await runner.query(`SELECT set_config('role', $1, true), set_config('trestle.tenant', $2, true)`, [CALLER_ROLE, tenant]);
    return await work(runner.manager);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

it('has a table for each of its names', () => {
  expect(tables).toEqual(expect.arrayContaining([...CLOSED, ...NOT_CHANGED]));
  expect(tables.length).toBeGreaterThan(25);
});

it('has no index twice: each is written with every row', async () => {
  const twice = await dataSource.query<object[]>(
    `SELECT indrelid::regclass::text AS "table", array_agg(indexrelid::regclass::text) AS indexes FROM pg_index
     WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
     GROUP BY indrelid, indkey::text, indclass::text, indoption::text, indexprs::text, indpred::text HAVING count(*) > 1`,
  );
  expect(twice).toEqual([]);
});

it('locks each table that holds something of an organization, against its owner as well', async () => {
  const locked = await dataSource.query<{ name: string; on: boolean; forced: boolean; roles: string[] }[]>(
    `SELECT c.relname AS name, c.relrowsecurity AS on, c.relforcerowsecurity AS forced,
       ARRAY(SELECT DISTINCT r.rolname::text FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE p.polrelid = c.oid ORDER BY 1) AS roles
     FROM pg_class c WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
    [tables],
  );
  expect(locked).toEqual(tables.map((name) => ({ name, on: true, forced: true, roles: [CALLER_ROLE, WORKER_ROLE] })));
});

it('shows a caller its own row of each table, of both that are there', async () => {
  for (const table of tables) {
    const [there] = await dataSource.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`);
    expect([table, there?.n]).toEqual([table, 2]);
    for (const tenant of TENANTS) {
      const seen = asCaller(tenant, (manager) => manager.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`));
      if (CLOSED.includes(table)) await expect(seen).rejects.toThrow(/permission denied/);
      else expect([table, await seen]).toEqual([table, [{ n: 1 }]]);
    }
  }
});

it('lets a caller change and remove its own row of each table and no other', async () => {
  for (const table of tables) {
    const some = table === 'destination_secrets' ? 'expires_at' : columns.find((column) => column.table === table)?.name;
    const changed = (sql: string) =>
      asCaller('acme', async (manager) => ((await manager.query(sql)) as [unknown, number])[1]).catch((error: Error) => error.message);
    const results = [await changed(`UPDATE ${table} SET ${some} = ${some}`), await changed(`DELETE FROM ${table}`)];
    if (CLOSED.includes(table) || NOT_CHANGED.includes(table))
      for (const result of results) expect([table, result]).toEqual([table, expect.stringMatching(/permission denied|row-level security/)]);
    // connections hang on a grant that the caller may not touch, so only the service removes them; here there is none
    else expect([table, ...results]).toEqual([table, 1, 1]);
  }
});

it('lets a caller make no row of another organization', async () => {
  for (const table of tables) {
    const made = asCaller('acme', async (manager) => {
      await manager.query(`SET CONSTRAINTS ALL DEFERRED`);
      await plant(manager, table, 'globex');
    });
    await expect(made.then(() => `${table} took it`)).rejects.toThrow(/row-level security|permission denied/);
  }
});

it('gives the running service every right to the rows and none to the schema', async () => {
  const rights = await dataSource.query<{ name: string; all: boolean; owner: boolean }[]>(
    `SELECT c.relname AS name, pg_has_role('${WORKER_ROLE}', c.relowner, 'USAGE') AS owner,
       (SELECT bool_and(has_table_privilege('${WORKER_ROLE}', c.oid, p)) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p) AS all
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
  );
  const wrong = rights.filter(({ name, all, owner }) => owner || (!all && name !== 'migrations'));
  expect(wrong).toEqual([]);
  const [role] = await dataSource.query<object[]>(
    `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = '${WORKER_ROLE}'`,
  );
  expect(role).toEqual({ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcanlogin: false });
});
