import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { asService, DATABASE_TOKEN } from '../src/database';
import { PeriodicTasks } from '../src/integrations/jobs';
import { fill } from './support/filled-database';
import { plansOf, type PlannedStatement } from './support/statement-plans';
import { startTestApp, type TestApp } from './support/test-app';
import { ticksOf } from './support/ticks';

/** So many events, records, runs and logged requests that reading them all costs more than an index does. */
const ROWS = 40_000;
const BIG = 4_000;
const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

/** What may read a table whole, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'operator /v1/admin/webhook-events?type=seldom': 'an index of types would be written with every event; a tenant’s are few enough',
  'operator /v1/admin/deliveries?type=seldom': 'as with events',
  'operator /v1/admin/deliveries?type=type7': 'as with events; there is none',
  'SyncScheduler.tidy connections': 'once an hour: what has no schedule can be told by nothing else',
  'SyncScheduler.tidy sync_schedules': 'the same',
};

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly enum?: readonly string[] };
}
type Paths = Record<string, { readonly get?: { readonly parameters?: readonly Parameter[] } }>;

const { paths } = JSON.parse(readFileSync(join(__dirname, '..', 'docs', 'openapi.json'), 'utf8')) as { paths: Paths };
/** Lists, and what is summed up over all. */
const READ = Object.entries(paths).flatMap(([path, { get }]) => {
  const queries = (get?.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const isList = queries.some(({ name }) => name === 'limit') && !/\{(?!provider\})/.test(path); // of one thing: by its key
  const isSum = /^\/v1\/admin\/(health|queue|figures)/.test(path);
  return isList || isSum ? [{ path, queries: queries.filter(({ name }) => name !== 'limit' && name !== 'cursor') }] : [];
});

let app: TestApp;
let dataSource: DataSource;
/** Tables, or partitions, that have many rows. */
let big: ReadonlySet<string>;
/** A value for each filter that is no choice of a few. */
let values: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  app = await startTestApp({ sandbox: false, ownsTables: true, settings: { WORKERS: 'false' } });
  dataSource = app.app.get<DataSource>(DATABASE_TOKEN, { strict: false });
  await asService(() => fill(dataSource, { rows: ROWS }));
  // As of many organizations, some of which were summed up and have changed since.
  await asService(() =>
    dataSource.query(
      `INSERT INTO connection_counts (tenant, provider, status, change, fresh)
       SELECT 'of' || n, 'slack', 'connected', 1, fresh FROM generate_series(1, ${10 * BIG}) n, unnest(CASE WHEN n % 1000 = 0 THEN ARRAY[false, true] ELSE ARRAY[false] END) fresh`,
    ),
  );
  await asService(() => dataSource.query('VACUUM ANALYZE connection_counts'));
  const one = async (sql: string) => (await asService(() => dataSource.query<{ id: string }[]>(sql)))[0]?.id ?? '';
  const connection = await one(`SELECT id FROM connections WHERE tenant = 't7' AND status = 'connected' LIMIT 1`);
  const tables = await asService(() =>
    dataSource.query<{ name: string }[]>(`SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND reltuples >= ${BIG}`),
  );
  big = new Set(tables.map(({ name }) => name));
  values = {
    account: ['acc77'],
    actor: ['u7'],
    connection: [connection],
    connectionId: [connection],
    destination: [await one(`SELECT id FROM destinations WHERE tenant = 't7'`)],
    error: ['It broke'],
    eventId: ['evt_777'],
    from: [ago(20)],
    operation: ['message.send', 'seldom'],
    outcome: ['ok', 'server_error', 'seldom'],
    provider: ['hubspot'],
    receivedFrom: [ago(20)],
    receivedTo: [ago(10)],
    resource: ['customers'],
    target: ['connection:77'],
    tenant: ['t7'],
    to: [ago(10)],
    type: ['type7', 'seldom'],
    userId: ['u7'],
  };
});
afterAll(() => app.close());

const readWhole = (plans: readonly PlannedStatement[]) => [
  ...new Set(plans.flatMap((plan) => plan.readWhole.filter((table) => big.has(table)))),
];

it('has much in every table that grows', () => {
  for (const table of [
    'connections',
    'connection_counts',
    'records',
    'webhook_events',
    'sync_runs',
    'deliveries',
    'outbox',
    'object_marks',
    'request_buckets',
  ])
    expect(big).toContain(table);
  expect([...big].filter((table) => /^(request_log|audit_entries)_\d/.test(table)).length).toBeGreaterThan(2);
  expect(READ.map(({ path }) => path)).toEqual(expect.arrayContaining(['/v1/admin/deliveries', '/v1/admin/audit', '/v1/admin/health']));
});

describe.each(['operator', 'admin'] as const)('what a caller who is %s reads', (role) => {
  it.each(READ)('$path is read by an index, by each filter', async ({ path, queries }) => {
    const token = await app.tokenFor({ tenant: 't7', user: 'u7', role });
    const filters = queries.flatMap(({ name, schema }) => (schema?.enum ?? values[name] ?? []).map((value) => ({ name, value })));
    for (const { name } of queries) expect([name, filters.some((filter) => filter.name === name)]).toEqual([name, true]);
    const found: string[] = [];
    for (const filter of [undefined, ...filters]) {
      const asked = filter ? `${path}?${filter.name}=${encodeURIComponent(filter.value)}` : path;
      const plans = await plansOf(async () => {
        const answer = await fetch(app.url + asked.replace('{provider}', 'hubspot'), { headers: { authorization: `Bearer ${token}` } });
        await answer.arrayBuffer();
        expect([asked, answer.status]).toEqual([asked, 200]);
      });
      const whole = readWhole(plans);
      if (whole.length > 0 && !(`${role} ${asked}` in ALLOWED)) found.push(`${asked}: ${whole.join(', ')}`);
    }
    expect(found).toEqual([]);
  });
});

describe('what is done again and again', () => {
  it('reads no big table whole', async () => {
    Object.assign(app.app.get(PeriodicTasks, { strict: false }), { settings: { workers: true } }); // each by itself, when it is asked for
    const found: string[] = [];
    const done: string[] = [];
    for (const { name, tick } of ticksOf(app.app)) {
      const plans = await plansOf(tick);
      done.push(name);
      for (const table of readWhole(plans)) if (!(`${name} ${table}` in ALLOWED)) found.push(`${name}: ${table}`);
    }
    expect(done).toEqual(
      expect.arrayContaining([
        'ConnectionCountCompactor.tick',
        'MonitoringScheduler.look',
        'MonitoringScheduler.sweep',
        'SyncScheduler.tick',
        'PayloadRetention.tick',
      ]),
    );
    expect(found).toEqual([]);
  });
});

it('finds the events that failed among however many that wait', async () => {
  await asService(async () => {
    await dataSource.query(
      `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, routing_key, tenant, status, attempts, next_attempt_at)
       SELECT gen_random_uuid(), gen_random_uuid(), 'slack', 'waits' || n, 'type1', 'r', 't' || n % 20, 'received', 0, now() FROM generate_series(1, ${2 * ROWS}) n`,
    );
    await dataSource.query('VACUUM ANALYZE webhook_events');
  });
  const token = await app.tokenFor({ tenant: 't7', user: 'u7', role: 'operator' });
  const plans = await plansOf(async () => {
    const answer = await fetch(`${app.url}/v1/admin/webhook-events/failures`, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    expect(answer.status).toBe(200);
  });
  expect([plans.length > 0, readWhole(plans)]).toEqual([true, []]);
});
