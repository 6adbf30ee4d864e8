import { createHmac, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ConnectionSeals } from '../src/integrations/connections';
import { signSlack } from '../src/integrations/webhooks/testing';
import { Browser, type Change } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const SECRET = 'facebook-webhook-secret';

let app: TestApp;
let database: DataSource;
beforeAll(async () => {
  app = await startTestApp({ settings: { FACEBOOK_CLIENT_ID: 'id', FACEBOOK_CLIENT_SECRET: 'secret', FACEBOOK_WEBHOOK_SECRET: SECRET } });
  database = app.app.get(DataSource);
  await database.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     VALUES ($1, 'acme', 'u1', 'facebook', 'page-1', 'page-1', 'page-1', 'oauth2', 'connected')`,
    [randomUUID()],
  );
  await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
});
afterAll(() => app.close());

describe('one delivery of many events', () => {
  beforeEach(async () => {
    for (const table of ['webhook_events', 'webhook_payloads']) await database.query(`DELETE FROM ${table}`);
  });

  const batch = (count: number, bytes: number) => {
    const entry = (n: number, text: string) => ({ id: 'page-1', time: n, changes: [{ field: 'feed', value: text }] });
    const empty = JSON.stringify({ object: 'page', entry: Array.from({ length: count }, (_, n) => entry(n, '')) }).length;
    const text = 'x'.repeat(Math.max(0, Math.ceil((bytes - empty) / count)));
    return JSON.stringify({ object: 'page', entry: Array.from({ length: count }, (_, n) => entry(n, text)) });
  };
  const send = async (body: string) => {
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
    const answer = await fetch(`${app.url}/webhooks/facebook`, { method: 'POST', headers, body });
    return { status: answer.status, code: ((await answer.json().catch(() => ({}))) as { code?: string }).code };
  };
  const kept = async () => {
    const [row] = await database.query<object[]>(
      `SELECT (SELECT count(*)::int FROM webhook_events) AS events, count(*)::int AS bodies, coalesce(sum(octet_length(body)), 0)::int AS bytes FROM webhook_payloads`,
    );
    return row;
  };

  it.each([
    [200, 278_000],
    [500, 695_000],
    [501, 100_000],
  ])('is stored once: %i events of %i bytes', async (count, bytes) => {
    const body = batch(count, bytes);
    expect(body.length).toBeGreaterThanOrEqual(bytes);
    expect(await send(body)).toMatchObject({ status: 200 });
    expect(await kept()).toEqual({ events: count, bodies: 1, bytes: body.length });
  });

  it('that can never be taken is too large, and keeps nothing: too many events, and too long a body', async () => {
    expect(await send(batch(10_001, 0))).toEqual({ status: 413, code: 'payload_too_large' });
    expect(await send(batch(500, app.settings.webhookMaxBytes + 1))).toMatchObject({ status: 413 });
    expect(await kept()).toEqual({ events: 0, bodies: 0, bytes: 0 });
  });
});

describe('a message of Slack that comes in the envelope of a reply', () => {
  it.each([['with its subtype', { subtype: 'message_replied' }] as const, ['without it', {}] as const])(
    'is the message that it was, with one more reply, %s',
    async (_, subtype) => {
      const team = `T_${_.length}`;
      const browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: team }));
      const id = (await browser.connect('slack', { team })).searchParams.get('connection') ?? '';
      const { account } = app.sandbox.control.ledger({ kind: 'request', endpoint: 'oauth.v2.access' }).at(-1) ?? {};
      expect(account).toBe(team);
      const tell = async (event: object) => {
        const [eventId, time] = [`Ev${randomUUID()}`, Math.floor(Date.now() / 1_000)];
        const authorizations = [{ team_id: team, user_id: 'U1', is_bot: true, is_enterprise_install: false }];
        const envelope = { type: 'event_callback', team_id: team, event_id: eventId, event_time: time, authorizations, event };
        const body = JSON.stringify(envelope);
        const secret = app.sandbox.env()['SLACK_SIGNING_SECRET'] ?? '';
        const headers = { 'content-type': 'application/json', ...signSlack(body, secret, Date.now()) };
        expect((await fetch(`${app.url}/webhooks/slack`, { method: 'POST', headers, body })).status).toBe(200);
      };
      const message = { type: 'message', user: 'U1', text: 'parent text', ts: '1.000001' };
      const stored = async (replies: number | undefined) => {
        const { changes } = await browser.records(id, 'messages');
        const last = changes.at(-1) as Change | undefined;
        return last && (last.data as { reply_count?: number }).reply_count === replies ? last : undefined;
      };
      await tell({ ...message, channel: 'C1', event_ts: '1.000001' });
      await browser.eventually(() => stored(undefined));
      const replied = { ...message, thread_ts: message.ts, reply_count: 1 };
      await tell({ type: 'message', ...subtype, channel: 'C1', hidden: true, message: replied, event_ts: '9.000009', ts: '9.000009' });
      expect(await browser.eventually(() => stored(1))).toMatchObject({ id: 'C1:1.000001', data: { ...replied, channel: 'C1' } });
      const { changes, ids } = await browser.records(id, 'messages');
      expect(ids).toEqual(['C1:1.000001']);
      expect(Object.keys(changes.at(-1)?.data as object).sort()).toEqual([...Object.keys(replied), 'channel'].sort());
    },
  );
});

describe('a channel of Slack that gets another id', () => {
  it('takes its messages along, and those that come later are beside them', async () => {
    const team = 'T_RENUMBERED';
    const browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: team }));
    const id = (await browser.connect('slack', { team })).searchParams.get('connection') ?? '';
    await browser.synced(id, () => true);
    const { control } = app.sandbox;
    const [old] = (await browser.records(id, 'channels')).ids;
    const say = (channel: string, text: string) => control.change('slack', 'messages', { account: team, channel, text });
    const texts = async () => {
      const { changes, ids } = await browser.records(id, 'messages');
      const last = new Map(changes.map((change) => [change.id, change.data as { text: string }]));
      return ids.map((each) => [each.split(':')[0], last.get(each)?.text]).sort();
    };
    say(old!, 'first');
    say(old!, 'second');
    await browser.eventually(async () => ((await texts()).length === 2 ? true : undefined));
    control.change('slack', 'channels', { account: team, id: old, newId: 'C0NEW' });
    const both = [
      ['C0NEW', 'first'],
      ['C0NEW', 'second'],
    ];
    await browser.eventually(async () => (JSON.stringify(await texts()) === JSON.stringify(both) ? true : undefined));
    say('C0NEW', 'third');
    await browser.eventually(async () => ((await texts()).length === 3 ? true : undefined));
    expect(await texts()).toEqual([...both, ['C0NEW', 'third']]);
    const { ids } = await browser.records(id, 'channels');
    expect([ids.includes('C0NEW'), ids.includes(old!)]).toEqual([true, false]);
  });
});
