import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { CALLER_ROLE } from '../../database';
import { ConnectionCounts } from './connection-counts';

const TENANTS = ['acme', 'globex', 'initech'];
const PROVIDERS = ['slack', 'stripe'];
const STATUSES = ['connected', 'needs_reauth', 'disconnected'];

let database: TestDatabase;
let counts: ConnectionCounts;
const query = <Row extends object>(sql: string, params: unknown[] = []) => database.dataSource.query<Row[]>(sql, params);

beforeEach(async () => {
  database = await createTestDatabase();
  counts = new ConnectionCounts(database.dataSource);
});
afterEach(() => database.close());

const of = <T>(all: readonly T[], n: number) => all[n % all.length]!;
const add = (many: number) =>
  query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, seal)
     SELECT gen_random_uuid(), ($2::text[])[1 + n % 3], 'u', ($3::text[])[1 + n % 2], $5::text || n, 'A', '', 'oauth2', ($4::text[])[1 + n % 5 % 3], '' FROM generate_series(1, $1::int) n`,
    [many, TENANTS, PROVIDERS, STATUSES, uuidv7()],
  );

interface Counted {
  readonly tenant: string;
  readonly provider: string;
  readonly status: string;
  readonly count: number;
}

/** What the counts say, and what is there, both by one statement: at one moment. */
async function both(): Promise<{ kept: Counted[]; there: Counted[] }> {
  const rows = await query<Counted & { kept: boolean }>(
    `SELECT true AS kept, tenant, provider, status, sum(change)::int AS count FROM connection_counts GROUP BY 2, 3, 4 HAVING sum(change) <> 0
     UNION ALL SELECT false, whose, provider, status, count(*)::int FROM connections, unnest(ARRAY['', tenant]) whose GROUP BY 2, 3, 4 ORDER BY 1, 2, 3, 4`,
  );
  const half = (which: boolean) => rows.filter(({ kept }) => kept === which).map(({ kept: _, ...row }) => row);
  return { kept: half(true), there: half(false) };
}

async function agree(): Promise<void> {
  const { kept, there } = await both();
  expect(kept).toEqual(there);
}

it('says what is there while many change it at once, and some take their change back, and it is summed up', async () => {
  await add(200);
  const ids = (await query<{ id: string }>('SELECT id FROM connections ORDER BY id')).map(({ id }) => id);
  const change = async (worker: number) => {
    for (let step = 0; step < 12; step++) {
      const n = worker * 31 + step * 7;
      const runner = database.dataSource.createQueryRunner();
      try {
        await runner.startTransaction();
        // several in one transaction, in an order of its own: nobody waits for another's counts, and no two for each other's
        const picked = [ids[(n * 5) % 100], ids[100 + ((n * 3) % 100)]].sort();
        await runner.query('UPDATE connections SET status = $2 WHERE id = ANY ($1)', [picked, of(STATUSES, n)]);
        await runner.query('UPDATE connections SET account_name = account_name WHERE id = $1', [picked[0]]);
        if (step % 4 === 0) await runner.query('DELETE FROM connections WHERE id = $1', [picked[1]]);
        await (step % 3 === 2 ? runner.rollbackTransaction() : runner.commitTransaction());
      } finally {
        await runner.release();
      }
      if (step % 5 === worker % 5) await counts.compact();
      await agree();
    }
  };
  await Promise.all([0, 1, 2, 3].map(change));
  await agree();
  await add(30);
  const [{ before }] = (await query<{ before: number }>('SELECT count(*)::int AS before FROM connection_counts')) as [{ before: number }];
  await Promise.all([counts.compact(), counts.compact(), counts.compact()]);
  await agree();
  await add(30); // of each kind: what several that ran at once left of one is one row again after the next
  await counts.compact();
  const { kept } = await both();
  const left = await query<{ fresh: boolean }>('SELECT fresh FROM connection_counts');
  expect(before).toBeGreaterThan(kept.length);
  expect([left.length, left.filter(({ fresh }) => fresh).length]).toEqual([kept.length, 0]);
});

it('gives an organization its own counts, and an operator those of all', async () => {
  await add(90);
  for (const compacted of [false, true]) {
    if (compacted) await counts.compact();
    for (const tenant of [undefined, ...TENANTS])
      for (const provider of [undefined, 'slack']) {
        const slow = await query<{ provider: string; connected: number; needsReauth: number }>(
          `SELECT provider, count(*) FILTER (WHERE status = 'connected')::int AS connected, count(*) FILTER (WHERE status = 'needs_reauth')::int AS "needsReauth"
           FROM connections WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR provider = $2) GROUP BY provider ORDER BY provider`,
          [tenant ?? null, provider ?? null],
        );
        expect(slow.length).toBeGreaterThan(0);
        const told = [...(await counts.ofProviders(tenant, provider))].map(([key, count]) => ({ provider: key, ...count }));
        expect(told.sort((a, b) => (a.provider < b.provider ? -1 : 1))).toEqual(slow);
      }
    const slow = await query<object>('SELECT provider, status, count(*)::int AS count FROM connections GROUP BY 1, 2 ORDER BY 1, 2');
    const key = ({ provider, status }: { provider: string; status: string }) => `${provider} ${status}`;
    expect((await counts.byStatus()).sort((a, b) => (key(a) < key(b) ? -1 : 1))).toEqual(slow);
  }
  await query('DELETE FROM connections');
  expect((await counts.ofProviders(undefined)).size).toBe(0);
  expect(await counts.byStatus()).toEqual([]);
});

it('counts what a caller of one organization changes, who sees and changes no sums of all', async () => {
  await add(30);
  const runner = database.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query(`SELECT set_config('role', $1, true), set_config('trestle.tenant', 'acme', true)`, [CALLER_ROLE]);
  await runner.query(`UPDATE connections SET status = 'needs_reauth'`);
  const seen = (await runner.query('SELECT DISTINCT tenant FROM connection_counts')) as { tenant: string }[];
  await expect(runner.query('SELECT recount_connections()')).rejects.toThrow(/permission denied/);
  await runner.rollbackTransaction();
  await runner.startTransaction();
  await runner.query(`SELECT set_config('role', $1, true), set_config('trestle.tenant', 'acme', true)`, [CALLER_ROLE]);
  await runner.query(`UPDATE connections SET status = 'needs_reauth'`);
  await runner.commitTransaction();
  await runner.release();
  expect(seen).toEqual([{ tenant: 'acme' }]);
  await agree();
  expect((await counts.ofProviders('acme')).get('slack')?.connected).toBe(0);
});

it('is counted anew where something wrote past the triggers, and where the table is emptied', async () => {
  await add(30);
  await query('ALTER TABLE connections DISABLE TRIGGER connections_counted');
  await add(5);
  await query('ALTER TABLE connections ENABLE TRIGGER connections_counted');
  const { kept, there } = await both();
  expect(kept).not.toEqual(there);
  await query('SELECT recount_connections()');
  await agree();
  expect((await both()).there.length).toBeGreaterThan(6);
  await query('TRUNCATE connections CASCADE');
  expect(await both()).toEqual({ kept: [], there: [] });
});
