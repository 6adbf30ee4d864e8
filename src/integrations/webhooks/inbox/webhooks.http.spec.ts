import { connect } from 'node:net';
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { DataSource } from 'typeorm';
import { startTestApp, type TestApp } from '../../../../test/support/test-app';
import { ConnectionSeals } from '../../connections';
import { RefusalCounter } from './refusal-counter';
import { signedDelivery, type DeliveryOptions } from '../testing';

const STRIPE_SECRET = 'whsec_http_spec';
const SLACK_SECRET = 'slack_http_spec';
const MAX_BYTES = 64 * 1024;

let app: TestApp;
let database: DataSource;

beforeAll(async () => {
  app = await startTestApp({
    sandbox: false,
    settings: { STRIPE_WEBHOOK_SECRET: STRIPE_SECRET, SLACK_SIGNING_SECRET: SLACK_SECRET, WEBHOOK_MAX_BYTES: String(MAX_BYTES) },
  });
  database = app.app.get(DataSource);
}, 60_000);
afterAll(() => app.close());

const post = (provider: string, headers: Record<string, string>, body: Buffer | string) =>
  fetch(`${app.url}/webhooks/${provider}`, { method: 'POST', headers, body: typeof body === 'string' ? body : new Uint8Array(body) });
const send = (provider: string, options: DeliveryOptions, more: Record<string, string> = {}) => {
  const { headers, body } = signedDelivery(options);
  return post(provider, { ...headers, ...more }, body);
};
const stripeEvent = (id: string, type = 'customer.created', more: object = {}) => ({
  id,
  object: 'event',
  api_version: '2026-10-28.endive',
  created: Math.floor(Date.now() / 1_000),
  type,
  livemode: false,
  pending_webhooks: 0,
  request: null,
  data: { object: { id: 'cus_1', object: 'customer', email: 'ada@example.com' } },
  account: 'acct_http',
  ...more,
});
const stripe = (id: string, type?: string, more?: object) =>
  send('stripe', { as: 'stripe', secret: STRIPE_SECRET, body: stripeEvent(id, type, more) });
const stored = (eventId: string) =>
  database.query<{ status: string }[]>('SELECT status FROM webhook_events WHERE event_id = $1', [eventId]);
const count = async () => (await database.query<{ n: number }[]>('SELECT count(*)::int AS n FROM webhook_events'))[0]?.n;

async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = await read();
    if (good(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('answers 200 once the event is stored, ten times for ten deliveries, and works it off', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => stripe('evt_http_1')));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(await stored('evt_http_1')).toHaveLength(1);
  expect(
    await until(
      () => stored('evt_http_1'),
      ([row]) => row?.status === 'completed',
    ),
  ).toEqual([{ status: 'completed' }]);
});

it('gives a challenge back, after the signature was verified', async () => {
  const body = { type: 'url_verification', challenge: 'abc<b>' };
  const answer = await send('slack', { as: 'slack', secret: SLACK_SECRET, body });
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'text/plain; charset=utf-8', 'abc<b>']);
  expect((await send('slack', { as: 'slack', secret: 'other', body })).status).toBe(401);
});

it('answers 401 without the cause, stores nothing, and counts the cause', async () => {
  const before = await count();
  const event = stripeEvent('evt_forged');
  const forged = [
    await send('stripe', { as: 'stripe', secret: 'whsec_wrong', body: event }),
    await send('stripe', { as: 'stripe', secret: STRIPE_SECRET, body: event, at: Date.now() - 301_000 }),
    await post('stripe', { 'content-type': 'application/json' }, JSON.stringify(event)),
    await send('google', { as: 'google-channel', channelId: randomUUID(), token: 'x', resourceId: 'r' }),
  ];
  const details = new Set<string>();
  for (const answer of forged) {
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json; charset=utf-8']);
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    expect(code).toBe('signature_invalid');
    details.add(detail);
  }
  expect(details.size).toBe(1);
  expect(await count()).toBe(before);
  await app.app.get(RefusalCounter).flush();
  const rows = await database.query<{ provider: string; cause: string }[]>(
    'SELECT DISTINCT provider, cause FROM webhook_refusals ORDER BY 1, 2',
  );
  expect(rows.map(({ provider, cause }) => `${provider} ${cause}`)).toEqual([
    'google unknown_channel',
    'slack wrong_signature',
    'stripe clock_skew',
    'stripe no_signature',
    'stripe wrong_signature',
  ]);
});

it('answers 404 for a provider that it does not know, whatever the name is', async () => {
  for (const name of ['nobody', '__proto__', 'constructor', '%00', 'a'.repeat(400)]) expect((await post(name, {}, '{}')).status).toBe(404);
});

it('takes the bytes as they are, whatever the content type says', async () => {
  const { headers, body } = signedDelivery({ as: 'stripe', secret: STRIPE_SECRET, body: stripeEvent('evt_type') });
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=x',
  ]) {
    expect((await post('stripe', { ...headers, 'content-type': type }, body)).status).toBe(200);
  }
  expect(await stored('evt_type')).toHaveLength(1);
});

it('refuses compressed bodies', async () => {
  const { headers, body } = signedDelivery({ as: 'stripe', secret: STRIPE_SECRET, body: stripeEvent('evt_gzip') });
  expect((await post('stripe', { ...headers, 'content-encoding': 'gzip' }, gzipSync(body))).status).toBe(415);
});

it('answers 413 to a body that says it is too long before it has come, and to one that does not say', async () => {
  const raw = (head: string, body: Buffer) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(
        Number(new URL(app.url).port),
        '127.0.0.1',
        () =>
          socket.write(`POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${head}\r\n\r\n`) &&
          socket.write(body),
      );
      let text = '';
      socket.setTimeout(5_000, () => reject(new Error('no answer')));
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (!text.includes('\r\n\r\n')) return;
        resolve(text);
        socket.destroy();
      });
      socket.on('error', () => resolve(text));
    });
  expect(await raw(`content-length: ${100 * 1024 * 1024}`, Buffer.from('{'))).toMatch(/^HTTP\/1.1 413 /);
  const chunk = Buffer.alloc(MAX_BYTES + 1, 'a');
  expect(
    await raw('transfer-encoding: chunked', Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])),
  ).toMatch(/^HTTP\/1.1 413 /);
});

it('is not impressed by deep, wide or poisoned JSON', async () => {
  const deep = `{"id":"evt_deep","type":"x","data":{"object":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`;
  const wide = `{"id":"evt_wide","type":"x","data":{"object":{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":1`).join(',')}}}}`;
  const proto = `{"id":"evt_proto","type":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"data":{"object":{"__proto__":{"polluted":true}}}}`;
  for (const body of [deep, wide, proto, '', 'null', '[]', '"x"', '{"id":1}', '{']) {
    expect([200, 400]).toContain((await send('stripe', { as: 'stripe', secret: STRIPE_SECRET, body })).status);
  }
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('keeps no signature, no token and no client address with the event', async () => {
  await send(
    'stripe',
    { as: 'stripe', secret: STRIPE_SECRET, body: stripeEvent('evt_headers') },
    { authorization: 'Bearer secret', cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', 'user-agent': 'Stripe/1.0' },
  );
  expect(
    await database.query('SELECT p.headers FROM webhook_events e JOIN webhook_payloads p ON p.id = e.payload_id WHERE event_id = $1', [
      'evt_headers',
    ]),
  ).toEqual([{ headers: { 'content-type': 'application/json', 'user-agent': 'Stripe/1.0' } }]);
});

describe('for administrators', () => {
  const api = async (path: string, who: { tenant: string; role?: 'admin' | 'operator' }, init: RequestInit & { json?: unknown } = {}) => {
    const token = await app.tokenFor({ user: 'u1', role: 'admin', ...who });
    const { json, ...rest } = init;
    const headers = { authorization: `Bearer ${token}`, ...(json !== undefined && { 'content-type': 'application/json' }) };
    const answer = await fetch(`${app.url}/v1/admin/${path}`, {
      ...rest,
      headers,
      ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { data: { id: string; eventId: string; status: string }[]; nextCursor: string | null } & Record<
        string,
        unknown
      >,
    };
  };
  let ids: Record<string, string>;

  beforeAll(async () => {
    for (const tenant of ['acme', 'rival']) {
      await database.query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status) VALUES ($1, $2, 'u1', 'slack', $3, $3, $3, 'oauth2', 'connected')`,
        [randomUUID(), tenant, `T_${tenant}`],
      );
      await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
      const events = ['one', 'two', 'three'].map((name) => ({
        type: 'event_callback',
        event_id: `Ev_${tenant}_${name}`,
        team_id: `T_${tenant}`,
        api_app_id: 'A1',
        event: { type: 'emoji_changed', event_ts: '1.0', bot_token: 'xoxb-secret', text: 'see xoxb-1-secret' },
      }));
      for (const body of events) expect((await send('slack', { as: 'slack', secret: SLACK_SECRET, body })).status).toBe(200);
    }
    const waiting = (rows: { n: number }[]) => rows[0]?.n === 0;
    await until(
      () => database.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM webhook_events WHERE status <> 'completed'`),
      waiting,
    );
    const rows = await database.query<{ id: string; event_id: string }[]>('SELECT id, event_id FROM webhook_events');
    ids = Object.fromEntries(rows.map(({ id, event_id }) => [event_id, id]));
  });

  it("lists the tenant's own, page by page; an operator sees everybody's and nobody's", async () => {
    const first = await api('webhook-events?provider=slack&limit=2', { tenant: 'acme' });
    expect(first.body.data.map(({ eventId }) => eventId)).toEqual(['Ev_acme_three', 'Ev_acme_two']);
    const second = await api(`webhook-events?provider=slack&limit=2&cursor=${first.body.nextCursor}`, { tenant: 'acme' });
    expect([second.body.data.map(({ eventId }) => eventId), second.body.nextCursor]).toEqual([['Ev_acme_one'], null]);
    const all = await api('webhook-events', { tenant: 'ops', role: 'operator' });
    expect(all.body.data.map(({ eventId }) => eventId)).toEqual(expect.arrayContaining(['Ev_acme_one', 'Ev_rival_one', 'evt_http_1']));
    expect((await api('webhook-events?cursor=bm9wZQ', { tenant: 'acme' })).body['code']).toBe('invalid_cursor');
  });

  it("answers 404 for another tenant's event, to look at and to replay", async () => {
    for (const path of [
      `webhook-events/${ids['Ev_rival_one']}`,
      `webhook-events/${ids['evt_http_1']}`,
      `webhook-events/${randomUUID()}`,
      'webhook-events/nothing',
    ]) {
      expect((await api(path, { tenant: 'acme' })).status).toBe(404);
      expect((await api(`${path}/replay`, { tenant: 'acme' }, { method: 'POST' })).status).toBe(404);
    }
  });

  it('shows the payload without what is secret', async () => {
    const { body } = await api(`webhook-events/${ids['Ev_acme_one']}`, { tenant: 'acme' });
    expect(body).toMatchObject({
      eventId: 'Ev_acme_one',
      status: 'completed',
      attempts: 1,
      payload: { event: { type: 'emoji_changed', bot_token: '[hidden]', text: 'see [hidden]' } },
    });
    const { body: other } = await api(`webhook-events/${ids['evt_http_1']}`, { tenant: 'ops', role: 'operator' });
    expect(other).toMatchObject({ payload: { data: { object: { id: 'cus_1', email: '[hidden]' } } } });
  });

  it('replays one event the same way as when it came first, and notes who asked', async () => {
    const { status } = await api(`webhook-events/${ids['Ev_acme_two']}/replay`, { tenant: 'acme' }, { method: 'POST' });
    expect(status).toBe(200);
    await until(
      () => stored('Ev_acme_two'),
      ([row]) => row?.status === 'completed',
    );
    expect(await database.query('SELECT tenant, actor, filter, matched FROM webhook_replays')).toEqual([
      { tenant: 'acme', actor: 'acme/u1', filter: { id: ids['Ev_acme_two'] }, matched: 1 },
    ]);
  });

  it('replays many by filter, of the own tenant only, and a dry run changes nothing', async () => {
    await database.query(`UPDATE webhook_events SET status = 'dead', last_error = 'x' WHERE event_id LIKE 'Ev_%'`);
    const filter = { provider: 'slack', status: 'dead' };
    expect((await api('webhook-events/replay', { tenant: 'acme' }, { json: { filter, dryRun: true } })).body).toEqual({
      matched: 3,
      replayed: 0,
      dryRun: true,
    });
    expect((await api('queue', { tenant: 'acme' })).body).toMatchObject({ depth: 0, inFlight: 0, dead: 3 });
    expect((await api('webhook-events/replay', { tenant: 'acme' }, { json: { filter } })).body).toEqual({
      matched: 3,
      replayed: 3,
      dryRun: false,
    });
    await until(
      () => stored('Ev_acme_one'),
      ([row]) => row?.status === 'completed',
    );
    expect(await stored('Ev_rival_one')).toEqual([{ status: 'dead' }]);
    expect((await api('webhook-events/replay', { tenant: 'acme' }, { json: { filter: {} } })).status).toBe(400);
    expect((await api('webhook-events/replay', { tenant: 'acme' }, { json: { filter: { tenant: 'rival' } } })).status).toBe(400);
  });
});
