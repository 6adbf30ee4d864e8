import { randomUUID } from 'node:crypto';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { describedPaths } from './lib/described-paths';
import { deliver, nowS, stored, stripeBody, stripeDelivery } from './lib/delivery';
import type { Answer } from './lib/request';
import type { Who } from './lib/instance';
import { Trials } from './lib/trials';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly anyOf?: readonly Schema[];
  readonly minItems?: number;
  readonly minimum?: number;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}

/** What the description does not say of a body. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/connections/{id}/slack/messages': { channel: 'C1', text: 'x' },
  'POST /v1/connections/{id}/google/emails': { to: ['a@b.test'], subject: 'x', text: 'x' },
  'POST /v1/connections/{id}/stripe/subscriptions': { customerId: 'cus_1', priceId: 'price_1' },
  'PATCH /v1/admin/destinations/{id}': { name: 'mine now' },
};
const OTHER_PARAMS: Readonly<Record<string, string>> = {
  resource: 'channels',
  calendarId: 'primary',
  subscriptionId: 'sub_1',
  provider: 'slack',
};
const QUERIES: Readonly<Record<string, string>> = {
  timeMin: '2026-01-01T00:00:00Z',
  timeMax: '2026-02-01T00:00:00Z',
  channel: 'C1',
  threadTs: '1.1',
};

const tenants: Attack = {
  id: 'A24',
  expected: 'another tenant, or another user, with ids that exist: 404 on every route, word for word as for an id that does not',
  async run(arena) {
    const trials = new Trials();
    const owner: Who = { tenant: 'owner', user: 'ada' };
    const ids = await idsOf(arena, owner);
    const strangers: readonly [string, Who][] = [
      ['another tenant’s admin', { tenant: 'stranger', user: 'ada', role: 'admin' }],
      ['another tenant’s user of the same name', { tenant: 'stranger', user: 'ada' }],
      ['another user of the tenant', { tenant: 'owner', user: 'eve' }],
    ];
    const operations = described();
    for (const { method, path, operation } of operations) {
      const id = idFor(path, ids);
      if (!id) {
        trials.add(`${method} ${path}`, false, 'there is no row to try it on');
        continue;
      }
      for (const [name, who] of strangers) {
        if (path.startsWith('/v1/admin') && who.role !== 'admin') continue; // 403 before any id is looked at: A31
        const request = { method, ...bodyOf(`${method} ${path}`, operation) };
        const real = await arena.service.as(who, addressOf(path, operation, id), request);
        const made = await arena.service.as(who, addressOf(path, operation, randomUUID()), request);
        trials.add(
          `${method} ${path} by ${name}`,
          real.status === 404 && told(real) === told(made),
          real.status === 404 ? '404 as for an id that does not exist' : `${real.status} ${real.code}`,
        );
      }
    }
    for (const [name, who] of strangers)
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await arena.service.as(who, `/v1/connections/${ids.connection}/proxy/conversations.list`, { method });
        trials.status(`proxy ${method} by ${name}`, answer, 404);
      }
    await asTheirApp(arena, trials, owner);
    const session = await arena.service.as({ tenant: 'stranger', user: 'ada' }, '/v1/connect-sessions', {
      body: { provider: 'slack', connectionId: ids.connection },
    });
    trials.status('reconnecting another’s', session, 404);
    for (const [name, who] of strangers) {
      const list = (await arena.service.as(who, '/v1/connections')).json as { data: unknown[] };
      trials.add(`the list of ${name}`, list.data.length === 0 && !JSON.stringify(list).includes(ids.connection ?? '?'));
    }
    const untouched = (await arena.service.as(owner, `/v1/connections/${ids.connection}`)).json as { status?: string };
    trials.add('all is as it was', untouched.status === 'connected', `still ${untouched.status}`);
    trials.note(`${operations.length} operations of the API’s description`);
    return trials.verdict();
  },
};

/** An organization's own app is nobody else's, and the operator's is no organization's. */
async function asTheirApp(arena: Arena, trials: Trials, owner: Who): Promise<void> {
  const client = '/v1/admin/providers/twitch/client';
  const admin = { ...owner, user: 'root', role: 'admin' } as const;
  const body = { clientId: 'the-owners', clientSecret: 'the-owners-secret' };
  trials.status('setting a client', await arena.service.as(admin, client, { method: 'PUT', body }), 200);
  for (const [name, who, status] of [
    ['another tenant’s admin', { tenant: 'stranger', user: 'root', role: 'admin' }, 409],
    ['an operator, who has none', { tenant: 'owner', user: 'root', role: 'operator' }, 409],
    ['another user of the tenant', { tenant: 'owner', user: 'eve' }, 403],
  ] as const)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await arena.service.as(who, '/v1/admin/providers/twitch/app/proxy/eventsub/subscriptions', { method });
      trials.status(`as the owner’s app, ${method} by ${name}`, answer, status);
    }
  trials.status('ending it', await arena.service.as(admin, client, { method: 'DELETE' }), 204);
}

/** What there is of the owner's, by kind. */
async function idsOf(arena: Arena, owner: Who): Promise<Readonly<Record<string, string | undefined>>> {
  const admin = { ...owner, user: 'root', role: 'admin' } as const;
  const connection = await arena.connect('slack', owner, 'T_OWNER');
  const stripe = await arena.connect('stripe', owner, 'acct_owner');
  const made = await arena.service.as(admin, '/v1/admin/destinations', {
    body: { url: arena.outside('http://127.0.0.1:9/'), events: ['connection.connected'] },
  });
  const destination = (made.json as { id: string }).id;
  await arena.service.as(admin, `/v1/admin/destinations/${destination}/test`, { method: 'POST', body: {} });
  const { eventId, body, headers } = stripeDelivery(arena, nowS(), stripeBody(`evt_${randomUUID()}`, 'acct_owner'));
  await deliver(arena.service.url, 'stripe', body, headers);
  const first = async (path: string) =>
    ((await arena.service.as(admin, path)).json as { data?: { id: string }[] } | undefined)?.data?.[0]?.id;
  await arena.service.as(owner, `/v1/connections/${stripe}/syncs`, { body: { type: 'full' } });
  const mapping = await arena.service.as(admin, '/v1/admin/mappings', {
    method: 'PUT',
    body: { provider: 'stripe', resource: 'customers', expression: '{ "id": id }' },
  });
  const replay = await arena.service.as(admin, '/v1/admin/replays', { body: { filter: { provider: 'stripe' } } });
  return {
    connection,
    destination,
    'webhook-events': (await stored(arena, eventId))[0]?.id,
    'sync-runs': await first('/v1/admin/sync-runs'),
    deliveries: (await first('/v1/admin/deliveries')) ?? (await first(`/v1/admin/destinations/${destination}/deliveries`)),
    alerts: await alertOf(arena, owner, () => first('/v1/admin/alerts')),
    mappings: (mapping.json as { id: string }).id,
    replays: (replay.json as { id: string }).id,
  };
}

/** Of a connection that its provider ended: the alert comes with one of the next looks, every 10 seconds. */
async function alertOf(arena: Arena, owner: Who, first: () => Promise<string | undefined>): Promise<string | undefined> {
  const lost = await arena.connect('slack', owner, 'T_LOST');
  arena.sandbox.control.revokeTokens('slack', 'T_LOST');
  await arena.service.as(owner, `/v1/connections/${lost}/slack/channels`);
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 500))) {
    const id = await first();
    if (id) return id;
  }
  return undefined;
}

function idFor(path: string, ids: Readonly<Record<string, string | undefined>>): string | undefined {
  const kind = /^\/v1\/admin\/([\w-]+)\/\{/.exec(path)?.[1];
  if (kind === undefined) return ids['connection'];
  return kind === 'destinations' ? ids['destination'] : ids[kind];
}

function described(): { method: string; path: string; operation: Operation }[] {
  return Object.entries(describedPaths<Record<string, Operation>>())
    .filter(([path]) => path.includes('{id}'))
    .flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })));
}

function addressOf(path: string, operation: Operation, id: string): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'id' ? id : (OTHER_PARAMS[name] ?? 'x')));
  const query = (operation.parameters ?? [])
    .filter((each) => each.in === 'query' && each.required && each.name !== 'limit')
    .map(({ name }) => `${name}=${encodeURIComponent(QUERIES[name] ?? 'x')}`);
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled;
}

function bodyOf(key: string, operation: Operation): { body?: object } {
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  if (BODIES[key]) return { body: BODIES[key] };
  return schema ? { body: sample(schema) as object } : {};
}

/** The least that the schema takes. */
function sample(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf?.[0]) return sample(schema.anyOf[0]);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {})]));
    case 'array':
      return [sample(schema.items ?? {})];
    case 'number':
    case 'integer':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return schema.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'x';
  }
}

/** What an answer says, but for the id of the request. */
function told({ status, json }: Answer): string {
  return JSON.stringify([status, { ...(json as object), requestId: undefined }]);
}

export const attacks: readonly Attack[] = [tenants];
