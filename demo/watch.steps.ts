import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Report } from './report';
import type { World } from './world';

/** Where the service keeps and writes things, for looking whether a secret got there. */
export interface Places {
  readonly databaseUrl?: string;
  readonly databaseFolder: string;
  readonly log: () => string;
}

/** How the sandbox's tokens, keys and secrets begin; they are random after that. */
const SECRET = /xox[a-z]-|xoxe\.|ya29\.|sk_(test|live)_|rk_(test|live)_|whsec_|pi_\w+_secret_/;
/** Something that must be found, or the search is blind. */
const MARKER = 'T_ACME';

/** What administrators see of all this, and what nobody sees. */
export async function watchSteps(world: World, report: Report, places: Places): Promise<void> {
  await report.step('health tells of each provider', 'google, slack, stripe: traffic and a last success', async () => {
    const { data } = await world.admin.get('/v1/admin/health');
    const known = data.filter((one) => one.requests24h > 0 && one.lastSuccess);
    return `${known
      .map((one) => one.provider)
      .sort()
      .join(', ')}: traffic and a last success`;
  });
  await report.step('the request log names endpoints, not addresses', 'no query string in 100 entries', async () => {
    const { data: entries } = await world.admin.get('/v1/admin/requests', { params: { query: { limit: 100 } } });
    return `${entries.some((entry) => entry.endpoint.includes('?')) ? 'a' : 'no'} query string in ${entries.length} entries`;
  });
  await report.step('tokens, keys and secrets in the database and the log', '0 found', async () => {
    const texts = places.databaseUrl ? await rowsOf(places.databaseUrl) : await filesOf(places.databaseFolder);
    if (!texts.some((text) => text.includes(MARKER))) throw new Error('the search does not find what is surely there');
    const found = [...texts, places.log()].flatMap((text) => text.match(SECRET)?.[0] ?? []);
    return `${found.length} found${found.length > 0 ? ` (${[...new Set(found)].join(', ')})` : ''}`;
  });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map((file) => readFile(file, 'latin1')));
}

async function rowsOf(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()`,
    );
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      // A bytea is written as hex by ::text; the bodies of events are such.
      const rows = await client.query<{ row: string }>(`SELECT coalesce(string_agg(t::text, E'\\n'), '') AS row FROM ${name} t`);
      const text = rows.rows[0]?.row ?? '';
      texts.push(text, ...[...text.matchAll(/\\x([0-9a-f]{2,})/g)].map((match) => Buffer.from(match[1] ?? '', 'hex').toString('latin1')));
    }
    return texts;
  } finally {
    await client.end();
  }
}
