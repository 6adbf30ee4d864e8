import { Module } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { startTestApp, type TestApp } from '../../../../test/support/test-app';
import { ConnectionSeals } from '../../connections';
import type { ImmediateEvent, WebhookHandler } from '../../contract';
import { OnWebhook } from '../processing/on-webhook.decorator';
import { signedDelivery, signSlack } from '../testing';

const STRIPE_SECRET = 'whsec_valid_senders';
const SLACK_SECRET = 'slack_valid_senders';

@OnWebhook('slack', 'command/*', 'view_submission', 'block_suggestion')
class Commands implements WebhookHandler {
  static handled: [string, unknown][] = [];

  answer({ type, payload }: ImmediateEvent): Promise<unknown> {
    if (type === 'command/fail') return Promise.reject(new Error('no answer'));
    if (type === 'command/hang') return new Promise(() => undefined);
    if (type === 'command/echo') return Promise.resolve({ response_type: 'ephemeral', text: (payload as { text: string }).text });
    if (type === 'block_suggestion') return Promise.resolve({ options: [] });
    return Promise.resolve(type === 'view_submission' ? { response_action: 'clear' } : undefined);
  }

  handle({ type, payload }: { type: string; payload: unknown }): Promise<void> {
    Commands.handled.push([type, payload]);
    return Promise.resolve();
  }
}

@Module({ providers: [Commands] })
class CommandsModule {}

let app: TestApp;
let database: DataSource;

beforeAll(async () => {
  app = await startTestApp({
    settings: { STRIPE_WEBHOOK_SECRET: STRIPE_SECRET, SLACK_SIGNING_SECRET: SLACK_SECRET },
    sandbox: false,
    imports: [CommandsModule],
  });
  database = app.app.get(DataSource);
  await database.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     VALUES ($1, 'acme', 'u1', 'slack', 'T1', 'T1', 'T1', 'oauth2', 'connected')`,
    [randomUUID()],
  );
  await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
}, 60_000);
afterAll(() => app.close());

async function stripe(body: object) {
  const { headers, body: bytes } = signedDelivery({ as: 'stripe', secret: STRIPE_SECRET, body });
  return fetch(`${app.url}/webhooks/stripe`, { method: 'POST', headers, body: new Uint8Array(bytes) });
}

async function slack(form: Record<string, string>, secret = SLACK_SECRET) {
  const body = new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...signSlack(body, secret, Date.now()) };
  const answer = await fetch(`${app.url}/webhooks/slack`, { method: 'POST', headers, body });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

async function settled(type: string) {
  for (const end = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const rows = await database.query<{ status: string; routing_key: string | null; object_key: string | null }[]>(
      'SELECT status, routing_key, object_key FROM webhook_events WHERE type = $1',
      [type],
    );
    if ((rows.length > 0 && rows.every(({ status }) => status === 'completed')) || Date.now() > end) return rows;
  }
}

const thin = (type: string, more: object = {}) => ({
  id: `evt_${randomUUID()}`,
  object: 'v2.core.event',
  type,
  livemode: false,
  created: '2026-11-27T05:00:00.000Z',
  ...more,
});

describe('Stripe', () => {
  it('may send thin events: known ones name account and object, unknown ones are stored and completed', async () => {
    expect((await stripe(thin('v2.core.event_destination.ping'))).status).toBe(200);
    expect(await settled('v2.core.event_destination.ping')).toEqual([{ status: 'completed', routing_key: null, object_key: null }]);
    const about = { context: 'acct_1', related_object: { id: 'cus_1', type: 'customer', url: '/v1/customers/cus_1' } };
    expect((await stripe(thin('v1.customer.updated', about))).status).toBe(200);
    expect(await settled('v1.customer.updated')).toEqual([
      { status: 'completed', routing_key: 'acct_1:test', object_key: 'customer/cus_1' },
    ]);
  });

  it('is answered 200 for what nobody can read, which is kept once and without its body', async () => {
    for (const body of [{ object: 'other', client_secret: 'pi_secret' }, { object: 'other', client_secret: 'pi_secret' }, []])
      expect((await stripe(body)).status).toBe(200);
    expect(await settled('unreadable')).toHaveLength(2);
    expect((await fetch(`${app.url}/webhooks/stripe`, { method: 'POST', body: '{}' })).status).toBe(401);
  });
});

describe('Slack', () => {
  const command = (name: string, text = '') => ({
    command: `/${name}`,
    text,
    team_id: 'T1',
    trigger_id: `${name}.${text}`,
    token: 'legacy',
  });
  const press = (payload: object) => ({ payload: JSON.stringify({ team: { id: 'T1' }, token: 'legacy', ...payload }) });

  it('gets what a handler says at once, and the command is handled once like an event, without the token', async () => {
    for (let sent = 0; sent < 2; sent++) {
      const answer = await slack(command('echo', 'hello'));
      expect([answer.status, answer.type, JSON.parse(answer.text)]).toEqual([
        200,
        'application/json; charset=utf-8',
        { response_type: 'ephemeral', text: 'hello' },
      ]);
    }
    expect(await settled('command/echo')).toEqual([{ status: 'completed', routing_key: 'T1', object_key: null }]);
    expect(Commands.handled.filter(([type]) => type === 'command/echo')).toEqual([
      ['command/echo', { ...command('echo', 'hello'), token: null }],
    ]);
  });

  it('gets an empty 200 in time where a handler has nothing to say, fails or hangs', async () => {
    for (const name of ['silent', 'fail', 'hang']) {
      const from = performance.now();
      expect(await slack(command(name))).toMatchObject({ status: 200, text: '' });
      expect(performance.now() - from).toBeLessThan(10_000); // the one that hangs would for ever
    }
  });

  it('gets answers to forms and menus; buttons are events', async () => {
    expect(JSON.parse((await slack(press({ type: 'view_submission', trigger_id: 't1', view: { id: 'V1' } }))).text)).toEqual({
      response_action: 'clear',
    });
    expect(JSON.parse((await slack(press({ type: 'block_suggestion', value: 'a' }))).text)).toEqual({ options: [] });
    expect(await slack(press({ type: 'block_actions', trigger_id: 't2', actions: [] }))).toMatchObject({ status: 200, text: '' });
    expect(await settled('block_actions')).toHaveLength(1);
  });

  it('is refused with another signature, but for a look at the certificate, which does nothing', async () => {
    expect((await slack(command('echo', 'forged'), 'other')).status).toBe(401);
    expect((await slack({ ssl_check: '1', token: 'legacy' }, 'other')).status).toBe(200);
    expect((await slack({ ssl_check: '1', ...command('echo', 'smuggled') }, 'other')).status).toBe(401);
  });

  it('is answered 200 for an interaction that nobody can read', async () => {
    expect((await slack({ payload: '{' })).status).toBe(200);
  });
});
