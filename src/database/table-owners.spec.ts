import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { createTestDatabase } from '../../test/support/test-database';

/** Which folder a table belongs to: its statements, and its entity, are there and nowhere else. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  'http-api/sessions': ['browser_sessions'],
  'integrations/audit': ['audit_entries'],
  'integrations/connect': ['connect_sessions', 'oauth_states'],
  'integrations/connections': ['connection_counts', 'connections', 'grants', 'oauth_clients', 'token_refreshes', 'tokens'],
  'integrations/webhooks': [
    'object_marks',
    'webhook_addresses',
    'webhook_events',
    'webhook_payloads',
    'webhook_refusals',
    'webhook_replays',
  ],
  'integrations/sync': [
    'record_mappings',
    'record_sequences',
    'records',
    'sync_cursors',
    'sync_parts',
    'sync_runs',
    'sync_schedules',
    'sync_seen',
    'sync_watches',
  ],
  'integrations/operations': ['actions'],
  'integrations/outbound': ['request_buckets', 'request_log'],
  'integrations/notifications': ['deliveries', 'destination_secrets', 'destinations', 'outbox', 'outbox_payloads', 'record_change_batches'],
  'integrations/figures': ['figures'],
  'integrations/monitoring': ['alerts'],
  'integrations/keys': ['encryption_keys'],
  'app-handlers': ['payment_notes'],
  database: ['migrations'],
};

const SRC = join(__dirname, '..');
const OWNER = new Map(Object.entries(OWNERS).flatMap(([folder, tables]) => tables.map((table) => [table, folder] as const)));
const NAMED = /\b(?:FROM|JOIN|INTO|UPDATE|USING|TABLE)\s+(?:ONLY\s+)?([a-z_]+)\b/g;
/** Where the name is handed on, as a word of its own: `deleteOld('outbox', ...)`. */
const HANDED = /'([a-z_]+)'/g;

function strangersIn(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const handsOn = /\$\{table\}/.test(text);
  const names = [...text.matchAll(NAMED), ...(handsOn ? text.matchAll(HANDED) : [])].map((match) => match[1] ?? '');
  const strange = names.filter((name) => OWNER.has(name) && !file.startsWith(`${OWNER.get(name)}/`));
  return [...new Set(strange)].sort();
}

it('lets no folder name the tables of another in its statements', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.ts') && !/\.spec\.ts$|\/testing\/|\/migrations\//.test(name));
  const found = files.flatMap((file) => {
    const strangers = strangersIn(file);
    return strangers.length > 0 ? [[file, strangers] as const] : [];
  });
  expect(Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))).toEqual({});
});

it('knows the owner of every table', async () => {
  const { dataSource, close } = await createTestDatabase();
  const tables = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
  );
  await close();
  expect(tables.map(({ name }) => name).sort()).toEqual([...OWNER.keys()].sort());
});
