import { createTestDatabase } from '../../test/support/test-database';

/** By which column a table is split over servers, all its unique keys holding it already: these take what grows with connections. */
const BY_KEY: Readonly<Record<string, string>> = {
  connection_counts: 'tenant',
  figures: 'tenant',
  object_marks: 'connection_id',
  record_change_batches: 'connection_id',
  record_sequences: 'connection_id',
  records: 'connection_id',
  request_buckets: 'connection_id',
  sync_cursors: 'connection_id',
  sync_parts: 'connection_id',
  sync_schedules: 'connection_id',
  sync_seen: 'connection_id',
};

/** Keyed by an id that is drawn without a sequence, so unique wherever it lies: `PRIMARY KEY (id, <column>)` takes one statement. Every other unique key holds the column. */
const BY_ID: Readonly<Record<string, string>> = {
  actions: 'tenant',
  audit_entries: 'tenant',
  browser_sessions: 'tenant',
  connect_sessions: 'tenant',
  deliveries: 'tenant',
  destination_secrets: 'tenant',
  destinations: 'tenant',
  oauth_clients: 'tenant',
  oauth_states: 'tenant',
  outbox: 'tenant',
  outbox_payloads: 'tenant',
  payment_notes: 'tenant',
  record_mappings: 'tenant',
  sync_runs: 'connection_id',
  sync_watches: 'connection_id',
};

/** What stays on one server, or is copied to each, and why. */
const WHOLE: Readonly<Record<string, string>> = {
  alerts: 'few; the operator’s belong to no organization, and one alert a cause is open over all',
  connections: 'copied to each: what comes in, and a grant, are looked up over all organizations',
  encryption_keys: 'a handful, nobody’s',
  grants: 'nobody’s: connections of several organizations may stand on one',
  migrations: 'the schema’s',
  request_log: 'calls for no connection belong to no organization; split by time, and dropped',
  token_refreshes: 'with the tokens',
  tokens: 'with the grants: a token may be shared by connections of several organizations',
  webhook_addresses: 'looked up by a secret, before it is known whose it is',
  webhook_events: 'one that nobody’s account is known for belongs to nobody; once over all organizations',
  webhook_payloads: 'one for the events of several organizations; split by time, and dropped',
  webhook_refusals: 'sums, nobody’s',
  webhook_replays: 'few; the operator’s belong to no organization',
};

interface Key {
  readonly table: string;
  readonly isPrimary: boolean;
  readonly columns: readonly string[];
}

it('knows of every table how it is split over servers, or why it is not', async () => {
  const { dataSource, close } = await createTestDatabase();
  const tables = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
  );
  const keys = await dataSource.query<Key[]>(
    `SELECT c.relname AS "table", i.indisprimary AS "isPrimary", ARRAY(SELECT a.attname::text FROM unnest(i.indkey) k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition`,
  );
  const needed = await dataSource.query<{ table: string; column: string }[]>(
    `SELECT c.relname AS "table", a.attname AS column FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND a.attnotnull AND a.attnum > 0`,
  );
  await close();

  const placed = [...Object.keys(BY_KEY), ...Object.keys(BY_ID), ...Object.keys(WHOLE)];
  expect(placed.sort()).toEqual(tables.map(({ name }) => name).sort());
  const lacking = (split: Readonly<Record<string, string>>, isMeant: (key: Key) => boolean) =>
    keys.filter((key) => split[key.table] && isMeant(key) && !key.columns.includes(split[key.table] ?? ''));
  expect(lacking(BY_KEY, () => true)).toEqual([]);
  expect(lacking(BY_ID, ({ isPrimary }) => !isPrimary)).toEqual([]);
  const isNeeded = new Set(needed.map(({ table, column }) => `${table}.${column}`));
  expect(Object.entries({ ...BY_KEY, ...BY_ID }).filter(([table, column]) => !isNeeded.has(`${table}.${column}`))).toEqual([]);
});
