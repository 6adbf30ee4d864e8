import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { IncomingCall } from '../src/integrations/operations/proxy/proxy-exchange';
import { ProxyService } from '../src/integrations/operations/proxy/proxy.service';
import { useConnectedApp, type Problem } from './support/connected-app';

const test = useConnectedApp();
const { connections, hits } = test;
const through = <T>(method: string, provider: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  test.call<T>(method, provider, `proxy/${path}`, body, headers);
const withKey = () => ({ 'idempotency-key': randomUUID() });

describe('one Idempotency-Key twice through the proxy', () => {
  it('is one message at Slack', async () => {
    const key = withKey();
    const post = (text: string) => through<{ ts: string }>('POST', 'slack', 'chat.postMessage', { channel: 'general', text }, key);
    const first = await post('Once');
    expect(first).toMatchObject({ status: 200, body: { ok: true }, replayed: false });
    expect(await post('Once')).toEqual({ ...first, replayed: true });
    expect(await post('Another')).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('is one mail at Google', async () => {
    const key = withKey();
    const raw = Buffer.from('To: bob@example.com\r\nSubject: Once\r\n\r\nHello\r\n').toString('base64url');
    const send = () => through<{ id: string }>('POST', 'google', 'gmail/v1/users/me/messages/send', { raw }, key);
    const first = await send();
    expect(first).toMatchObject({ status: 200, replayed: false });
    expect(await send()).toEqual({ ...first, replayed: true });
    expect(hits('gmail.messages.send')).toHaveLength(1);
  });

  it('is one request while the first is running', async () => {
    const key = withKey();
    test.app.sandbox.control.addFault({ kind: 'latency', provider: 'slack', endpoint: 'chat.postMessage', latencyMs: 400 });
    const post = () => through('POST', 'slack', 'chat.postMessage', { channel: 'general', text: 'At once' }, key);
    const answers = await Promise.all([post(), post()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('idempotency_key_in_use');
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('stays unknown, and is not sent again, where the first try’s end is', async () => {
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'slack', endpoint: 'chat.postMessage' });
    const key = withKey();
    const post = () => through('POST', 'slack', 'chat.postMessage', { channel: 'general', text: 'Perhaps' }, key);
    expect(await post()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(await post()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('replays a refusal in the provider’s own words', async () => {
    const key = withKey();
    const post = () => through<{ error: string }>('POST', 'slack', 'chat.postMessage', { channel: 'C_NONE', text: 'Where' }, key);
    const first = await post();
    expect(first.body).toMatchObject({ ok: false, error: 'channel_not_found' });
    expect(await post()).toEqual({ ...first, replayed: true });
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('repeats with a key of its own where the provider takes one', async () => {
    const key = withKey();
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'stripe', endpoint: 'customers.create', count: 10 });
    const make = () => through<{ id: string }>('POST', 'stripe', 'v1/customers', { email: 'ada@example.com' }, key);
    expect((await make()).status).toBeGreaterThanOrEqual(500);
    test.app.sandbox.control.clearFaults();
    expect(await make()).toMatchObject({ status: 200 });
    const sent = new Set(hits('customers.create').map(({ idempotencyKey }) => idempotencyKey));
    expect([sent.size, sent.has(undefined), sent.has(key['idempotency-key'])]).toEqual([1, false, false]);
  });
});

describe('a proxied call that names another account', () => {
  it.each([
    ['stripe', 'GET', 'v1/customers', { 'stripe-account': 'acct_OTHER' }],
    ['stripe', 'GET', 'v1/customers', { 'stripe-context': 'acct_OTHER' }],
    ['stripe', 'GET', 'v1/customers?_stripe_account=acct_OTHER', {}],
    ['stripe', 'GET', 'v1/customers?%5fstripe%5faccount=acct_OTHER', {}],
    ['google', 'GET', 'calendar/v3/users/me/calendarList?key=AIza', {}],
    ['google', 'GET', 'calendar/v3/users/me/calendarList?quotaUser=somebody', {}],
    ['google', 'GET', 'calendar/v3/users/me/calendarList?access_token=ya29', {}],
    ['google', 'GET', 'calendar/v3/users/me/calendarList', { 'x-goog-user-project': 'other' }],
    ['slack', 'GET', 'conversations.list?token=xoxb-other', {}],
  ])('%s %s %s %j is refused before anything is sent', async (provider, method, path, headers) => {
    expect(await through(method, provider, path, undefined, headers as Record<string, string>)).toMatchObject({
      status: 403,
      body: { code: 'proxy_not_allowed' },
    });
    expect(
      test.app.sandbox.control.ledger({ kind: 'request' }).filter(({ path: sent = '' }) => sent.includes(path.split('?')[1] ?? 'none')),
    ).toEqual([]);
  });

  it.each([
    ['application/x-www-form-urlencoded', 'email=a%40b.test&_stripe_account=acct_OTHER'],
    ['application/x-www-form-urlencoded', '%5Fstripe_account[]=acct_OTHER'],
    ['application/json', '{"_stripe_account":"acct_OTHER"}'],
    ['text/plain', '_stripe_account=acct_OTHER'],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="_stripe_account"\r\n\r\nacct_OTHER\r\n--x--\r\n'],
  ])('in a body of %s is refused too', async (type, body) => {
    const token = await test.app.tokenFor({ tenant: 'acme', user: 'ada' });
    const answer = await fetch(`${test.app.url}/v1/connections/${connections['stripe']}/proxy/v1/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body,
    });
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([403, 'proxy_not_allowed']);
    expect(hits('customers.create')).toEqual([]);
  });
});

it.each(['apps.uninstall', 'auth.revoke', 'oauth.v2.access'])('the proxy does not end or renew a grant: %s', async (method) => {
  expect(await through('POST', 'slack', method, {})).toMatchObject({ status: 403, body: { code: 'proxy_not_allowed' } });
  expect(hits(method)).toEqual([]);
});

describe('what a call costs', () => {
  afterEach(() => jest.restoreAllMocks());

  it.each([
    ['through the proxy', () => through('GET', 'slack', 'conversations.list')],
    ['of an operation by its name', () => test.call('POST', 'slack', 'operations/channels.list', {})],
  ])('%s the connection is read once', async (_, call) => {
    const asked = jest.spyOn(Client.prototype as { query(statement: unknown): unknown }, 'query');
    expect((await call()).status).toBe(200);
    const texts = asked.mock.calls.map(([statement]) => (typeof statement === 'string' ? statement : (statement as { text: string }).text));
    expect(texts.filter((text) => /FROM connections WHERE id = \$1/.test(text))).toHaveLength(1);
  });

  it('stops nothing where the answer ended well, and the call where its caller is gone', async () => {
    const calls = jest.spyOn(test.app.app.get(ProxyService, { strict: false }), 'call');
    const signalOf = (at: number) => (calls.mock.calls[at]?.[2] as IncomingCall).signal;
    for (let n = 0; n < 2; n++) expect((await through('GET', 'slack', 'conversations.list')).status).toBe(200);
    expect(signalOf(0).aborted).toBe(false);

    test.app.sandbox.control.addFault({ kind: 'latency', provider: 'slack', endpoint: 'conversations.list', latencyMs: 10_000 });
    const leaving = new AbortController();
    const token = await test.app.tokenFor({ tenant: 'acme', user: 'ada' });
    const left = fetch(`${test.app.url}/v1/connections/${connections['slack']}/proxy/conversations.list`, {
      headers: { authorization: `Bearer ${token}` },
      signal: leaving.signal,
    }).catch((error: Error) => error.name);
    while (calls.mock.calls.length < 3) await new Promise((resolve) => setImmediate(resolve));
    const stopped = new Promise((resolve) => signalOf(2).addEventListener('abort', resolve));
    leaving.abort();
    await stopped;
    expect(await left).toBe('AbortError');
  });
});
