import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DataSource } from 'typeorm';
import { createTestDatabase, testSeed, type TestDatabase } from '../../../test/support/test-database';
import { makeMonthsOf } from '../../integrations/audit';
import { ManagedDataSource } from '../managed-data-source';
import { exportDatabase, importDatabase } from '.';
import { transferredTables } from './transferred-tables';

/** All that JSON, text, bytes and times can be. */
const FILL = [
  `INSERT INTO grants (id, provider, client, account, created_at, updated_at) VALUES ('0197a000-0000-7000-8000-000000000001', 'p', 'c', 'a', now(), now())`,
  `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, grant_id, scopes, metadata)
   SELECT gen_random_uuid(), 'tenant ' || n, E'u\\u2028\\n#' || n, 'p', 'a' || n, '‘name’ \\ "' || n, 'r' || n, 'oauth2', 'connected', '0197a000-0000-7000-8000-000000000001',
     ARRAY['a,b', 'c"d', ''], jsonb_build_object('n', n, 'deep', jsonb_build_array(1.50, 1e30, null, E'\\u2029\\t')) FROM generate_series(1, 300) n`,
  `INSERT INTO record_sequences (connection_id, last_change) SELECT id, 3 FROM connections`,
  `INSERT INTO records (connection_id, resource, external_id, data, hash, version, change_no, changed_at)
   SELECT id, 'things', 'x', jsonb_build_object('text', repeat('long ', 20)), decode(md5(id::text), 'hex'), 12345678901234567890.123, 1, '2026-03-01T10:00:00.123456Z' FROM connections`,
  `INSERT INTO webhook_payloads (id, headers, body) SELECT gen_random_uuid(), '{"a":"b"}', decode(repeat('00ff7f80', 30000), 'hex') FROM generate_series(1, 2)`,
  `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome)
   SELECT gen_random_uuid(), timestamptz '2025-06-15 12:00Z' + n * interval '20 days', 't', 't', 'u', 'user', 'grant.end', 'grant:1', 'ok' FROM generate_series(0, 20) n`,
];

let folder: string;
let source: ManagedDataSource;
let target: TestDatabase;

/** From the embedded database, to a server where there is one. */
beforeAll(async () => {
  source = await ManagedDataSource.open({ dataDir: 'memory://', seed: await testSeed() });
  await source.initialize();
  for (const statement of FILL) await source.query(statement);
});
afterAll(() => source.destroy());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trestle-transfer-'));
  target = await createTestDatabase();
});
afterEach(async () => {
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

const into = (path: string) => importDatabase(target.dataSource, path, { audit_entries: makeMonthsOf });
const exported = async () => {
  const path = join(folder, 'all.gz');
  return { path, sums: await exportDatabase(source, path) };
};
const rowsOf = (db: DataSource, table: string) =>
  db.query<{ row: string }[]>(`SELECT row_to_json(t)::text AS row FROM ${table} t ORDER BY row_to_json(t)::text COLLATE "C"`);
const held = async () => {
  const counts = await Promise.all(
    (await transferredTables(target.dataSource)).map((table) =>
      target.dataSource.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`),
    ),
  );
  return counts.reduce((sum, [row]) => sum + (row?.n ?? 0), 0);
};
const changed = (path: string, change: (text: string) => string) =>
  writeFileSync(path, gzipSync(change(gunzipSync(readFileSync(path)).toString('utf8'))));

it('brings every row to the other database as it is, and says how much it was', async () => {
  const { path, sums } = await exported();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await into(path)).toEqual(sums);
  expect(Object.values(sums).reduce((sum, { rows }) => sum + Number(rows), 0)).toBe(1 + 3 * 300 + 2 + 21);
  for (const table of ['connections', 'records', 'webhook_payloads', 'audit_entries'])
    expect(await rowsOf(target.dataSource, table)).toEqual(await rowsOf(source, table));
  // made by what they count, and not transferred
  const counted = `SELECT tenant, provider, status, sum(change)::int AS count FROM connection_counts GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
  const counts = await target.dataSource.query<{ tenant: string; count: number }[]>(counted);
  expect(counts).toEqual(await source.query(counted));
  expect(counts.filter(({ tenant }) => tenant === '').reduce((sum, { count }) => sum + count, 0)).toBe(300);
  // in months of their own, which retention drops
  expect(
    await target.dataSource.query(
      `SELECT tableoid::regclass::text AS month FROM audit_entries WHERE tableoid::regclass::text LIKE '%rest' LIMIT 1`,
    ),
  ).toEqual([]);
}, 120_000);

it('keeps nothing where one row is another, and says in which table', async () => {
  const { path } = await exported();
  changed(path, (text) => text.replace('"tenant 70"', '"tenant 71"'));
  await expect(into(path)).rejects.toThrow(/^connections is not what was exported: 300 rows/);
  expect(await held()).toBe(0);
}, 120_000);

it.each([
  ['is cut off', (text: string) => text.slice(0, text.length / 2), /cut off within a line/],
  ['lacks its last line', (text: string) => text.replace('#{"complete":true}\n', ''), /cut off: its end is missing/],
  [
    'is of another version',
    (text: string) => text.replace('"migrations":["', '"migrations":["FromTomorrow1999999999999","'),
    /another version.*FromTomorrow/,
  ],
  ['is something else', () => 'hello\n', /damaged, or no export/],
])(
  'says so where the file %s, and keeps nothing',
  async (_, change, sentence) => {
    const { path } = await exported();
    changed(path, change);
    await expect(into(path)).rejects.toThrow(sentence);
    expect(await held()).toBe(0);
  },
  120_000,
);

it('refuses a database that holds something, and a file that is none', async () => {
  const { path } = await exported();
  writeFileSync(join(folder, 'none.gz'), 'no archive');
  await expect(into(join(folder, 'none.gz'))).rejects.toThrow(/damaged, or no export/);
  await expect(into(join(folder, 'absent.gz'))).rejects.toThrow(/cannot be read/);
  await target.dataSource
    .query(`INSERT INTO encryption_keys SELECT * FROM json_populate_record(NULL::encryption_keys, '{"id": "k"}')`)
    .catch(() => undefined);
  await target.dataSource.query(FILL[0] as string);
  await expect(into(path)).rejects.toThrow(/not empty \(.*grants.*\): import into a new one/);
}, 120_000);
