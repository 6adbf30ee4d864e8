import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signInLinkOf } from '../../demo/http-client';
import { Visitor } from '../../test/support/pages-fixture';
import type { Stage } from './size-stage';

export const LIMIT = 50;
const TENANT = 't7';
const ROLES = ['operator', 'admin'] as const;
const DAY_MS = 86_400_000;

export interface Read {
  readonly group: string;
  readonly name: string;
  /** What has to be there before; not measured. */
  before?(): Promise<unknown>;
  /** After the first time: whether its answer was right; not measured. */
  compare?(): Promise<void>;
  /** Reads once. */
  once(): Promise<unknown>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly enum?: readonly string[] };
}
type Paths = Record<string, { readonly get?: { readonly parameters?: readonly Parameter[] } }>;

/** What a list holds, counted beside the service: its table, and what each filter means there. */
interface Counted {
  readonly table: string;
  readonly where?: string;
  readonly filters: Readonly<Record<string, string>>;
}

const OF_USER = 'connection_id IN (SELECT id FROM connections WHERE user_id = $1)';
const OF_ACCOUNT = 'connection_id IN (SELECT id FROM connections WHERE account_id = $1)';
const equal = (...columns: string[]) => Object.fromEntries(columns.map((column) => [column, `${column} = $1`]));
const within = (column: string) => ({ from: `${column} >= $1`, to: `${column} < $1` });

const LISTS: Readonly<Record<string, Counted>> = {
  '/v1/admin/audit': {
    table: 'audit_entries',
    filters: { ...equal('tenant', 'action', 'target'), actor: 'actor_user = $1', ...within('at') },
  },
  '/v1/admin/connections': {
    table: 'connections',
    filters: {
      ...equal('tenant', 'provider', 'status'),
      userId: 'user_id = $1',
      account: 'account_id = $1',
      owner: `(user_id = '') = ($1 = 'organization')`,
    },
  },
  '/v1/admin/sync-runs': {
    table: 'sync_runs',
    filters: {
      ...equal('provider', 'status', 'type', 'trigger'),
      connection: 'connection_id = $1',
      userId: OF_USER,
      account: OF_ACCOUNT,
      ...within('created_at'),
    },
  },
  '/v1/admin/mappings': {
    table: 'record_mappings',
    filters: { ...equal('provider', 'resource'), connection: 'connection_id = $1', ended: `(ended_at IS NOT NULL) = ($1 = 'true')` },
  },
  '/v1/admin/webhook-events': {
    table: 'webhook_events',
    filters: {
      ...equal('provider', 'type', 'status'),
      eventId: 'event_id = $1',
      connectionId: 'connection_id = $1',
      userId: OF_USER,
      account: OF_ACCOUNT,
      error: 'last_error = $1',
      receivedFrom: 'received_at >= $1',
      receivedTo: 'received_at < $1',
    },
  },
  '/v1/admin/replays': { table: 'webhook_replays', where: 'last_id IS NOT NULL', filters: {} },
  '/v1/admin/destinations': { table: 'destinations', where: `scope = 'tenant'`, filters: {} },
  '/v1/admin/deliveries': {
    table: 'deliveries',
    filters: {
      ...equal('status', 'type'),
      destination: 'destination_id = $1',
      connection: 'message_id IN (SELECT id FROM outbox WHERE connection_id = $1)',
      ...within('created_at'),
    },
  },
  '/v1/admin/requests': {
    table: 'request_log',
    filters: {
      ...equal('provider', 'outcome', 'operation'),
      connection: 'connection_id = $1',
      userId: OF_USER,
      account: OF_ACCOUNT,
      ...within('at'),
    },
  },
  '/v1/admin/alerts': { table: 'alerts', filters: equal('state') },
};

/** What is summed up, or of one provider. */
const SUMS = [
  '/v1/admin/webhook-events/failures',
  '/v1/admin/queue',
  '/v1/admin/health',
  '/v1/admin/health/hubspot',
  '/v1/admin/health/hubspot/connections',
];

/** Every list for administrators, with each of its filters, for an operator and for an administrator of one organization. */
export async function listReads({ cluster }: Stage): Promise<Read[]> {
  const { paths } = JSON.parse(readFileSync(join(__dirname, '../../docs/openapi.json'), 'utf8')) as { paths: Paths };
  const values = await filterValues({ cluster });
  const reads: Read[] = [];
  for (const role of ROLES) {
    const token = await cluster.tokenFor({ tenant: TENANT, user: 'u7', role });
    const get = async (path: string) => {
      const answer = await fetch(cluster.members[0]!.url + path, { headers: { authorization: `Bearer ${token}` } });
      if (answer.status !== 200) throw new Error(`${role} ${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as { data?: unknown[] };
    };
    for (const [path, { get: described }] of Object.entries(paths)) {
      const queries = (described?.parameters ?? []).filter((parameter) => parameter.in === 'query');
      const isList = path.startsWith('/v1/admin/') && queries.some(({ name }) => name === 'cursor');
      if (!isList) continue;
      const filters = queries
        .filter(({ name }) => name !== 'limit' && name !== 'cursor')
        .flatMap(({ name, schema }) => (schema?.enum ?? values[name] ?? ['?']).map((value) => ({ name, value })));
      for (const filter of [undefined, ...filters]) {
        const counted = LISTS[path];
        const condition = filter && counted?.filters[filter.name];
        if (!counted || (filter && (condition === undefined || filter.value === '?')))
          throw new Error(`Nobody counts ${path}?${filter?.name ?? ''}`);
        const where = [counted.where ?? 'true', condition ?? 'true', ...(role === 'admin' ? [`tenant = '${TENANT}'`] : [])].join(' AND ');
        const count = () =>
          cluster.query<{ n: number }>(
            `SELECT count(*)::int AS n FROM (SELECT FROM ${counted.table} WHERE ${where} LIMIT ${LIMIT}) few`,
            filter ? [filter.value] : [],
          );
        const query = filter ? `&${filter.name}=${encodeURIComponent(filter.value)}` : '';
        let seen: number | undefined;
        reads.push({
          group: `lists of an ${role}`,
          name: `${role} ${path}${filter ? `?${filter.name}=${UUID_OR_TIME.test(filter.value) ? '' : filter.value}` : ''}`,
          once: async () => void (seen = (await get(`${path}?limit=${LIMIT}${query}`)).data?.length),
          compare: async () => {
            const right = (await count())[0]?.n;
            if (seen !== right) throw new Error(`${String(seen)} rows for ${String(right)}`);
          },
        });
      }
    }
    for (const path of SUMS) reads.push({ group: 'sums', name: `${role} ${path}`, once: async () => void (await get(path)) });
  }
  return reads;
}

async function filterValues({ cluster }: Pick<Stage, 'cluster'>): Promise<Readonly<Record<string, readonly string[]>>> {
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
  const one = async (sql: string) => (await cluster.query<{ id: string }>(sql))[0]?.id ?? '';
  const connection = await one(`SELECT id FROM connections WHERE tenant = '${TENANT}' AND status = 'connected' LIMIT 1`);
  return {
    account: ['acc77'],
    actor: ['u7'],
    connection: [connection],
    connectionId: [connection],
    destination: [await one(`SELECT id FROM destinations WHERE tenant = '${TENANT}'`)],
    error: ['It broke'],
    eventId: ['evt_777'],
    from: [ago(20)],
    operation: ['message.send'],
    outcome: ['ok', 'server_error'],
    provider: ['hubspot'],
    receivedFrom: [ago(20)],
    receivedTo: [ago(10)],
    resource: ['customers'],
    target: ['connection:77'],
    tenant: [TENANT],
    to: [ago(10)],
    type: ['type7', 'webhook.received', 'full'],
    userId: ['u7'],
  };
}

/** Says nothing in a name. */
const UUID_OR_TIME = /^[0-9a-f]{8}-[0-9a-f-]{27}$|^\d{4}-\d\d-\d\dT/;
const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;
/** Of each kind of page one, reached by links from the overview. */
const PAGES_AT_MOST = 80;

/** Every page of the administration that links lead to, once each kind: by its path without ids and the names of what its query asks. */
export async function pageReads({ cluster }: Stage): Promise<Read[]> {
  const { url } = cluster.members[0]!;
  const reads: Read[] = [];
  for (const role of ROLES) {
    const visitor = new Visitor(url);
    await visitor.get(await signInLinkOf(url, await cluster.tokenFor({ tenant: TENANT, user: 'u7', role })));
    const known = new Map<string, string>([['/admin', '/admin']]);
    for (const [kind, path] of known) {
      const { status, text } = await visitor.get(path);
      if (status !== 200) throw new Error(`${role} ${path} answered ${status}`);
      reads.push({
        group: `pages of an ${role}`,
        name: `${role} ${kind}`,
        once: async () => {
          const answer = await visitor.get(path);
          if (answer.status !== 200 || !answer.text.includes('</html>')) throw new Error(`answered ${answer.status}`);
        },
      });
      for (const [, link = ''] of text.matchAll(/href="(\/admin[^"#]*)"/g)) {
        const target = new URL(link.replaceAll('&#38;', '&').replaceAll('&amp;', '&'), url);
        if (target.pathname.endsWith('/export')) continue; // no page: a file of all there is, to be taken home
        const kindOf =
          target.pathname.replace(ID, '{id}').replace(/\/providers\/[^/]+/, '/providers/{provider}') +
          (target.search && `?${[...target.searchParams.keys()].sort().join('&')}`);
        if (!known.has(kindOf) && known.size < PAGES_AT_MOST) known.set(kindOf, target.pathname + target.search);
      }
    }
  }
  return reads;
}
