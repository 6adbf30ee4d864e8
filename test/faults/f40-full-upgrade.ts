import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { PRODUCT_MIGRATIONS } from '../../src/app-handlers/migrations';
import { dataSourceOptions, type DataSourceSettings } from '../../src/config/data-source-options';
import { MIGRATIONS } from '../../src/database/migrations';
import { openEmbeddedPostgres } from '../../src/database';
import { migrateEmbedded, migrateServer } from '../../src/database/migrator';
import { bindingOf, SecretBox } from '../../src/integrations/connections/tokens/secret-box';
import { bindingFor } from '../../src/integrations/connections/tokens/token.repository';
import { createDatabase, dropDatabase, startCluster } from '../support/service-cluster';
import type { Fault } from './lib/fault';
import { until } from './lib/waiting';

const CONNECTIONS = 10_000;
const RECORDS = 10;
const EVENTS = 2;
/** Of one Slack workspace; they come to share the token of its bot. */
const TOGETHER = 5;
const LOOK_MS = 5;
const LISTENS_WITHIN_S = 15;
const MOVED_WITHIN_MS = 180_000;
/** What is done beside the service after its first start. */
const DONE = [/connections to Slack share the tokens of their grant/, /connections are sealed from now on/];
const LEFT = `SELECT 1 FROM tokens t JOIN connections c ON c.id = t.connection_id WHERE c.provider = 'slack'
  UNION ALL SELECT 1 FROM connections WHERE seal IS NULL LIMIT 1`;

/** Every second connection is to Slack, five to a workspace, the others to Google. */
const isSlack = (n: number) => n % 2 === 0;
const workspace = (n: number) => Math.floor(n / 2 / TOGETHER);
const idOf = (kind: string, n: number) => `00000000-0000-7${kind}00-8000-${n.toString(16).padStart(12, '0')}`;

export const fault: Fault = {
  id: 'F40',
  promise: `a database of the first schema with ${CONNECTIONS} connections is brought up to date: nothing is lost or changed, every connection has its token`,
  stages: ['server', 'embedded'],
  boundS: 600,
  async run(stage, { databaseUrl: server = '' }) {
    const place: Place =
      stage === 'server' ? { databaseUrl: await createDatabase(server) } : { dataDir: await mkdtemp(join(tmpdir(), 'upgrade-')) };
    const key = randomBytes(32);
    try {
      await plant(place, new SecretBox([{ id: 'k1', key }]));
      const before = await contents(place);
      const { seconds: migrateS, waited } = await migrated(place);
      const started = performance.now();
      const cluster = await startCluster({
        entry: join(__dirname, '../../src/main.ts'),
        processes: 1,
        ...('databaseUrl' in place && { ...place, ownDatabase: true }),
        env: {
          ...('dataDir' in place && { DATA_DIR: place.dataDir }),
          ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
          REDIS_URL: '',
          LOG_LEVEL: 'info',
          WORKERS: 'false',
          SLACK_CLIENT_ID: 'x',
          SLACK_CLIENT_SECRET: 'x',
        },
      });
      const startS = (performance.now() - started) / 1_000;
      const lines = () => cluster.members[0]!.process.lines.join('');
      const done = await until(() => DONE.every((sentence) => sentence.test(lines())), MOVED_WITHIN_MS, LOOK_MS);
      const doneS = (performance.now() - started) / 1_000;
      await cluster.stop();
      const after = await contents(place);
      const left = await at(place, (query) => query(LEFT));
      const { unserved, shared } = await served(place, new SecretBox([{ id: 'k1', key }]));
      const wrong = Object.keys(before).filter((name) => before[name] !== after[name]);
      const workspaces = CONNECTIONS / 2 / TOGETHER;
      return {
        ok:
          done !== undefined &&
          left.length === 0 &&
          wrong.length === 0 &&
          unserved === 0 &&
          shared === workspaces &&
          startS < LISTENS_WITHIN_S,
        seen:
          `${CONNECTIONS} connections, ${CONNECTIONS * RECORDS} records, ${CONNECTIONS} watches, ${CONNECTIONS * EVENTS} events with bodies: migrated in ${migrateS.toFixed(1)} s${waited}; ` +
          `the first start listens after ${startS.toFixed(1)} s; the tokens of ${shared} workspaces are moved into their grants and all connections are sealed after ${doneS.toFixed(1)} s; ` +
          `changed contents: ${wrong.join(', ') || 'none'}; connections without their token: ${unserved}`,
      };
    } finally {
      if ('databaseUrl' in place) await dropDatabase(server, place.databaseUrl);
      else await rm(place.dataDir, { recursive: true, force: true });
    }
  },
};

function plant(place: Place, box: SecretBox): Promise<void> {
  return opened(place, async (settings) => {
    const first = new DataSource({ ...dataSourceOptions(settings), migrations: [MIGRATIONS[0]!, PRODUCT_MIGRATIONS[0]!] });
    await first.initialize();
    try {
      await first.runMigrations();
      await fill(first, box);
    } finally {
      await first.destroy();
    }
  });
}

async function fill(first: DataSource, box: SecretBox): Promise<void> {
  const all = Array.from({ length: CONNECTIONS }, (_, n) => n);
  const column = <T>(read: (n: number) => T) => all.map(read);
  await first.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     SELECT *, account, account, 'oauth2', 'connected' FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS c (id, tenant, user_id, provider, account)`,
    [
      column((n) => idOf('1', n)),
      column(tenantOf),
      column((n) => `u${n}`),
      column((n) => (isSlack(n) ? 'slack' : 'google')),
      column(accountOf),
    ],
  );
  const seal = (n: number) => box.encrypt(tokenOf(n), bindingFor({ id: idOf('1', n), tenant: tenantOf(n) }, { kind: kindOf(n) }, 'access'));
  await first.query(
    `INSERT INTO tokens (id, connection_id, kind, access_token, key_id)
     SELECT *, 'k1' FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])`,
    [column((n) => idOf('2', n)), column((n) => idOf('1', n)), column(kindOf), column(seal)],
  );
  await first.query(`INSERT INTO encryption_keys (key_id, check_value) VALUES ('k1', $1)`, [
    box.encrypt('trestle key check', bindingOf('key-check')), // of a version that did not seal
  ]);
  for (const statement of REST) await first.query(statement);
}

const tenantOf = (n: number) => `tenant${n % 50}`;
const accountOf = (n: number) => (isSlack(n) ? `T${workspace(n)}:U${n}` : `person${n}@example.com`);
const kindOf = (n: number) => (isSlack(n) ? 'bot' : 'user');
/** An installation has one token for its bot, whoever asks for it. */
const tokenOf = (n: number) => (isSlack(n) ? `xoxb-${workspace(n)}` : `ya29-${n}`);

const REST = [
  'INSERT INTO record_sequences (connection_id, last_change) SELECT id, 10 FROM connections',
  `INSERT INTO records (connection_id, resource, external_id, data, change_no)
   SELECT id, 'events', r::text, jsonb_build_object('title', account_id, 'n', r), r FROM connections, generate_series(1, ${RECORDS}) r`,
  `INSERT INTO sync_watches (channel_id, connection_id, resource, token_hash, status, expires_at)
   SELECT gen_random_uuid(), id, 'events', md5(id::text), 'active', now() + interval '30 days' FROM connections`,
  `INSERT INTO sync_schedules (connection_id, next_incremental_at, next_full_at, next_due_at)
   SELECT id, now() + interval '1 day', now() + interval '7 days', now() + interval '1 day' FROM connections`,
  `INSERT INTO webhook_events (id, provider, event_id, type, connection_id, tenant, body, status, processed_at)
   SELECT gen_random_uuid(), provider, id || e::text, 'message', id, tenant, convert_to(account_id || e, 'UTF8'), 'completed', now()
   FROM connections, generate_series(1, ${EVENTS}) e`,
];

/** What must be the same afterwards, each as one number. */
function contents(place: Place): Promise<Record<string, string>> {
  const sum = (row: string, from: string) =>
    `SELECT count(*) || ':' || coalesce(sum(hashtextextended(${row}::text, 0)), 0) AS sum FROM ${from}`;
  const moved = `webhook_events e JOIN webhook_payloads p ON p.id = e.payload_id`;
  return at(place, async (query) => {
    const rows = await query<{ moved: boolean }>(`SELECT to_regclass('webhook_payloads') IS NOT NULL AS moved`);
    const asked = {
      connections: sum('(t.id, t.tenant, t.user_id, t.provider, t.account_id, t.routing_key, t.status, t.created_at)', 'connections t'),
      records: sum('(t.connection_id, t.resource, t.external_id, t.data, t.change_no, t.changed_at)', 'records t'),
      watches: sum('(t.channel_id, t.connection_id, t.resource, t.token_hash, t.status, t.expires_at)', 'sync_watches t'),
      schedules: sum('(t.connection_id, t.next_due_at, t.enabled)', 'sync_schedules t'),
      'own tokens': sum('(t.id, t.connection_id, t.kind, t.access_token)', `tokens t WHERE t.kind = 'user'`),
      bodies: rows[0]?.moved ? sum('(e.id, e.event_id, p.body)', moved) : sum('(e.id, e.event_id, e.body)', 'webhook_events e'),
    };
    const sums: Record<string, string> = {};
    for (const [name, sql] of Object.entries(asked)) sums[name] = (await query<{ sum: string }>(sql))[0]!.sum;
    return sums;
  });
}

/** As the start of the new version does it. */
async function migrated(place: Place): Promise<{ seconds: number; waited: string }> {
  if ('databaseUrl' in place) {
    const { seconds, longestWaitMs } = await whileRead(place.databaseUrl, () => migrateServer(place.databaseUrl, PRODUCT_MIGRATIONS));
    return { seconds, waited: `, during which a reader of connections waited at most ${longestWaitMs.toFixed(0)} ms` };
  }
  const started = performance.now();
  await opened(place, ({ embedded }) => migrateEmbedded(embedded!, PRODUCT_MIGRATIONS));
  return { seconds: (performance.now() - started) / 1_000, waited: '' };
}

/** Whoever reads connections meanwhile waits for the locks of the migrations: for the longest of them. */
async function whileRead(url: string, work: () => Promise<unknown>): Promise<{ seconds: number; longestWaitMs: number }> {
  let ended = false;
  let longestWaitMs = 0;
  const reading = at({ databaseUrl: url }, async (query) => {
    while (!ended) {
      const asked = performance.now();
      await query('SELECT 1 FROM connections LIMIT 1');
      longestWaitMs = Math.max(longestWaitMs, performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  });
  const started = performance.now();
  await work().finally(() => (ended = true));
  const seconds = (performance.now() - started) / 1_000;
  await reading;
  return { seconds, longestWaitMs };
}

/** Each connection's token, read as the service reads it. */
function served(place: Place, box: SecretBox): Promise<{ unserved: number; shared: number }> {
  return at(place, async (query) => {
    const rows = await query<{
      id: string;
      tenant: string;
      grant_id: string;
      slot: string | null;
      kind: string;
      access_token: string;
    }>(
      `SELECT c.id, c.tenant, c.grant_id, t.slot, t.kind, t.access_token FROM connections c
       JOIN tokens t ON t.connection_id = c.id OR (t.slot IS NOT NULL AND t.grant_id = c.grant_id AND t.slot = ANY (c.slots))`,
    );
    const tokens = new Map(rows.map((row) => [row.id, box.decrypt(row.access_token, bindingFor(row, row, 'access'))]));
    const unserved = Array.from({ length: CONNECTIONS }, (_, n) => n).filter((n) => tokens.get(idOf('1', n)) !== tokenOf(n)).length;
    return { unserved, shared: new Set(rows.flatMap(({ slot, grant_id }) => (slot === null ? [] : [grant_id]))).size };
  });
}

type Place = { readonly databaseUrl: string } | { readonly dataDir: string };
type Query = <Row extends object>(sql: string, params?: unknown[]) => Promise<Row[]>;

async function opened<T>(place: Place, work: (settings: DataSourceSettings) => Promise<T>): Promise<T> {
  if ('databaseUrl' in place) return work(place);
  const embedded = await openEmbeddedPostgres(place.dataDir);
  try {
    return await work({ embedded });
  } finally {
    await embedded.close();
  }
}

/** As the owner, beside the service; embedded only while it does not run. */
function at<T>(place: Place, work: (query: Query) => Promise<T>): Promise<T> {
  return opened(place, async (settings) => {
    const dataSource = new DataSource(dataSourceOptions(settings));
    await dataSource.initialize();
    try {
      return await work((sql, params) => dataSource.query(sql, params));
    } finally {
      await dataSource.destroy();
    }
  });
}
