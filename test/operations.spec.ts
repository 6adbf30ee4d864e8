import { randomUUID } from 'node:crypto';
import { OperationRegistry } from '../src/integrations';
import { Browser } from './support/browser';
import { useConnectedApp } from './support/connected-app';

interface View {
  readonly name: string;
  readonly provider: string;
  readonly title: string;
  readonly description: string;
  readonly effect: string;
  readonly input: { type?: string; properties?: object };
  readonly output: { type?: string; properties?: object };
  readonly available: boolean;
  readonly missingScopes: string[];
}
const test = useConnectedApp();
const { connections, hits } = test;

/** Runs one; a successful answer is checked against what the operation declares. */
const run = async <T>(provider: string, name: string, input: unknown = {}, headers: Record<string, string> = {}) => {
  const answer = await test.call<T>('POST', provider, `operations/${name}`, input, headers);
  if (answer.status < 300) expect(declared(provider, name).output.safeParse(answer.body)).toMatchObject({ success: true });
  return answer;
};
const declared = (provider: string, name: string) => test.app.app.get(OperationRegistry, { strict: false }).get(provider, name);

const CONFIGURED = ['slack', 'stripe', 'google'];

describe('the catalogue', () => {
  it('describes every operation in words and as JSON Schema', async () => {
    const { body } = await test.browser.api<{ data: View[]; nextCursor: null }>('GET', '/v1/operations');
    expect(body.data.length).toBeGreaterThanOrEqual(8);
    for (const each of body.data) {
      // Those of plain providers without a client here cannot be called.
      expect(each).toMatchObject({ available: CONFIGURED.includes(each.provider), missingScopes: [], output: { type: 'object' } });
      expect(each.description).toMatch(/^\p{Lu}.{10,}\.$/u);
    }
    const send = body.data.find(({ name }) => name === 'emails.send');
    expect(send).toMatchObject({ provider: 'google', effect: 'write', input: { properties: { subject: { type: 'string' } } } });
  });

  it('names the same operations as the provider does', async () => {
    for (const key of CONFIGURED) {
      const { body } = await test.browser.api<{ data: View[] }>('GET', `/v1/operations?provider=${key}`);
      expect(new Set(body.data.map(({ provider }) => provider))).toEqual(new Set([key]));
    }
    expect((await test.browser.api('GET', '/v1/operations?provider=nobody')).status).toBe(404);
  });

  it('says of a connection what it can do, and which scopes are missing', async () => {
    const other = new Browser(test.app, await test.app.tokenFor({ tenant: 'acme', user: 'grace' }));
    const consent = { scope: 'openid email https://www.googleapis.com/auth/calendar.readonly' };
    const id = (await other.connect('google', consent)).searchParams.get('connection') ?? '';
    const { body } = await other.api<{ data: View[] }>('GET', `/v1/connections/${id}/operations`);
    const one = (name: string) => body.data.find((each) => each.name === name);
    expect(one('events.list')).toMatchObject({ available: true, missingScopes: [] });
    expect(one('emails.send')).toMatchObject({ available: false, missingScopes: ['https://www.googleapis.com/auth/gmail.send'] });
    const mail = { to: ['a@example.test'], subject: 's', text: 't' };
    expect(await other.api('POST', `/v1/connections/${id}/operations/emails.send`, mail)).toMatchObject({
      status: 403,
      body: { code: 'missing_scope', missingScopes: ['https://www.googleapis.com/auth/gmail.send'] },
    });
    expect(hits('gmail.messages.send')).toEqual([]);
  });
});

describe('an operation by its name', () => {
  it('is once what one key asked for, whichever door was taken', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const message = { channel: 'general', text: 'One door' };
    const first = await run<{ ts: string }>('slack', 'messages.send', message, key);
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(await run('slack', 'messages.send', message, key)).toEqual({ ...first, replayed: true });
    const door = await test.browser.api('POST', `/v1/connections/${connections['slack']}/slack/messages`, message, { headers: key });
    expect([door.status, door.body, door.headers.get('idempotent-replayed')]).toEqual([201, first.body, 'true']);
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('stays unknown where its end is, and is looked for where the provider can be searched', async () => {
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'slack', endpoint: 'chat.postMessage', count: 1 });
    expect(await run('slack', 'messages.send', { channel: 'general', text: 'Perhaps' })).toMatchObject({
      status: 409,
      body: { code: 'outcome_unknown' },
    });
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'google', endpoint: 'gmail.messages.send', count: 1 });
    const key = { 'idempotency-key': randomUUID() };
    const mail = { to: ['zoe@example.test'], subject: 'Perhaps', text: 'Hello' };
    expect((await run('google', 'emails.send', mail, key)).status).toBe(409);
    expect(await run('google', 'emails.send', mail, key)).toMatchObject({ status: 201, replayed: true });
    expect(hits('gmail.messages.send')).toHaveLength(1);
  });

  it('reads a list', async () => {
    const first = await run<{ data: object[]; nextCursor: string }>('slack', 'channels.list', { limit: 2 });
    expect(first).toMatchObject({ status: 200, body: { nextCursor: expect.any(String) as string } });
    expect((await run<{ data: object[] }>('google', 'events.list', { limit: 3 })).body.data).toHaveLength(3);
  });

  it('refuses what its schema does not take, and names the field', async () => {
    expect(await run('slack', 'messages.send', { channel: 'general', text: 'x', colour: 'red' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', detail: expect.stringContaining('colour') as string },
    });
    expect(await run('slack', 'channels.list', [])).toMatchObject({ status: 400 });
  });

  it('is a 404 where there is none, and for another tenant', async () => {
    expect(await run('slack', 'emails.send', {})).toMatchObject({ status: 404 });
    expect(await run('slack', '__proto__', {})).toMatchObject({ status: 404 });
    const token = await test.app.tokenFor({ tenant: 'other', user: 'eve', role: 'admin' });
    const path = `/v1/connections/${connections['slack']}/operations`;
    expect(await test.browser.api('GET', path, undefined, { token })).toMatchObject({
      status: 404,
      body: { code: 'connection_not_found' },
    });
    expect(await test.browser.api('POST', `${path}/channels.list`, {}, { token })).toMatchObject({ status: 404 });
  });
});

describe('mail and calendar at Google', () => {
  it('finds a message, and reads it', async () => {
    const mail = { to: ['zoe@example.test'], subject: 'Search for me', text: 'Hello Zoe' };
    const sent = await run<{ messageId: string; threadId: string }>('google', 'emails.send', mail);
    const found = await run<{ data: { messageId: string }[] }>('google', 'emails.search', { query: 'subject:"search for me"' });
    expect(found.body.data).toEqual([sent.body]);
    expect(await run('google', 'emails.get', { messageId: sent.body.messageId })).toMatchObject({
      status: 200,
      body: { headers: { subject: 'Search for me' }, snippet: 'Hello Zoe', threadId: sent.body.threadId },
    });
  });

  it('makes an event once though the answer was lost, changes it only as it was read, and deletes it', async () => {
    const scopes = ['openid', 'email', 'https://www.googleapis.com/auth/calendar'];
    const planner = new Browser(test.app, await test.app.tokenFor({ tenant: 'acme', user: 'planner' }));
    connections['planner'] =
      (await planner.connect('google', { scope: scopes.join(' ') }, { scopes })).searchParams.get('connection') ?? '';
    const ask = async (name: string, input: object, headers: Record<string, string> = {}) => {
      const path = `/v1/connections/${connections['planner']}/operations/${name}`;
      return planner.api<{ id: string; etag: string; code?: string }>('POST', path, input, { headers });
    };
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'google', endpoint: 'events.insert', count: 1 });
    const key = { 'idempotency-key': randomUUID() };
    const wanted = { summary: 'Plan', start: { dateTime: '2030-01-31T09:00:00Z' }, end: { dateTime: '2030-01-31T10:00:00Z' } };
    expect(await ask('events.create', wanted, key)).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    const made = await ask('events.create', wanted, key);
    expect(made).toMatchObject({ status: 201, body: { status: 'confirmed' } });
    expect(hits('events.insert')).toHaveLength(1);
    const { id: eventId, etag: ifMatch } = made.body;
    expect(await ask('events.update', { eventId, ifMatch, summary: 'Plan B' })).toMatchObject({ status: 200 });
    expect(await ask('events.update', { eventId, ifMatch, summary: 'Plan C' })).toMatchObject({
      status: 409,
      body: { code: 'provider_conflict' },
    });
    expect(await ask('events.delete', { eventId, ifMatch })).toMatchObject({ status: 409, body: { code: 'provider_conflict' } });
    expect(await ask('events.delete', { eventId })).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await ask('events.delete', { eventId })).toMatchObject({ status: 200, body: { deleted: true } });
  });
});

describe('more at Google', () => {
  it('answers in the thread of a message', async () => {
    const to = ['zoe@example.test'];
    const first = await run<{ messageId: string; threadId: string }>('google', 'emails.send', { to, subject: 'Thread', text: 'One' });
    const { threadId } = first.body;
    const read = await run<{ headers: Record<string, string> }>('google', 'emails.get', { messageId: first.body.messageId });
    const replyTo = { threadId, messageId: read.body.headers['message-id'] };
    const second = await run<{ messageId: string; threadId: string }>('google', 'emails.send', {
      to,
      subject: 'Re: Thread',
      text: 'Two',
      replyTo,
    });
    expect(second).toMatchObject({ status: 201, body: { threadId } });
    expect(second.body.messageId).not.toBe(first.body.messageId);
    expect(
      await run('google', 'emails.send', { to, subject: 's', text: 't', replyTo: { threadId, messageId: 'x\r\nBcc: a@b.c' } }),
    ).toMatchObject({
      status: 400,
    });
  });

  it('tells when a calendar is busy, and which one could not be read', async () => {
    const day = 86_400_000;
    const window = { timeMin: new Date(Date.now() - 10 * day).toISOString(), timeMax: new Date(Date.now() + 20 * day).toISOString() };
    const { body } = await run<{ data: { calendarId: string; busy: object[]; error: string | null }[] }>('google', 'freeBusy.query', {
      ...window,
      calendarIds: ['primary', 'nobody@group.calendar.google.com'],
    });
    expect(body.data.find(({ calendarId }) => calendarId === 'primary')).toMatchObject({ error: null });
    expect(body.data.find(({ calendarId }) => calendarId === 'primary')?.busy.length).toBeGreaterThan(0);
    expect(body.data.find(({ calendarId }) => calendarId !== 'primary')).toMatchObject({ busy: [], error: 'notFound' });
    expect(await run('google', 'freeBusy.query', { timeMin: window.timeMax, timeMax: window.timeMin })).toMatchObject({ status: 400 });
  });

  it('invites an address of any domain as people type it', () => {
    const { input } = declared('google', 'events.create');
    const event = { summary: 's', start: { date: '2030-01-01' }, end: { date: '2030-01-02' } };
    const invited = (email: string) => input.safeParse({ ...event, attendees: [{ email }] });
    expect(invited('info@bücher.example')).toMatchObject({ success: true, data: { attendees: [{ email: 'info@xn--bcher-kva.example' }] } });
    expect(invited('info@bücher example').success).toBe(false);
  });

  it('finds a calendar by an address of any domain as people type it', async () => {
    const account = 'info@xn--bcher-kva.example';
    const browser = new Browser(test.app, await test.app.tokenFor({ tenant: 'acme', user: 'books' }));
    const id = (await browser.connect('google', { login_hint: account, account })).searchParams.get('connection') ?? '';
    const ask = (name: string, input: object) =>
      browser.api<{ data: { error?: string | null }[] }>('POST', `/v1/connections/${id}/operations/${name}`, input);
    const typed = 'info@bücher.example';
    expect(await ask('events.list', { calendarId: typed })).toMatchObject({ status: 200 });
    const [timeMin, timeMax] = [new Date(), new Date(Date.now() + 86_400_000)].map((time) => time.toISOString());
    const { body } = await ask('freeBusy.query', { calendarIds: [typed], timeMin, timeMax });
    expect(body.data).toMatchObject([{ calendarId: account, error: null }]);
    const listed = await browser.api('GET', `/v1/connections/${id}/google/calendars/${encodeURIComponent(typed)}/events`);
    expect(listed.status).toBe(200);
  });
});

describe('pages of Stripe', () => {
  const account = 'acct_1SandboxAcme';

  it('are opened for a customer, once for one key', async () => {
    const customerId = String(test.app.sandbox.control.change('stripe', 'customers', { account, name: 'Payer' })['id']);
    const [price] = (test.app.sandbox.control.state().stripe[account] as { prices: { id: string }[] }).prices;
    const pages = [
      ['portalSessions.create', { customerId, returnUrl: 'https://app.example/billing' }],
      [
        'checkoutSessions.create',
        { customerId, priceId: price?.id, successUrl: 'https://app.example/ok', cancelUrl: 'https://app.example/no' },
      ],
    ] as const;
    for (const [name, input] of pages) {
      const key = { 'idempotency-key': randomUUID() };
      const made = await run<{ url: string }>('stripe', name, input, key);
      expect(made).toMatchObject({ status: 201, body: { url: expect.stringMatching(/^https:\/\/\w+\.stripe\.com\//) as string } });
      expect(await run('stripe', name, input, key)).toEqual({ ...made, replayed: true });
      expect(await run('stripe', name, { ...input, customerId: 'cus_nobody' })).toMatchObject({
        status: 404,
        body: { code: 'provider_not_found' },
      });
    }
    expect(hits('checkout.sessions.create').filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('a subscription at Stripe', () => {
  const account = 'acct_1SandboxAcme';
  const prices = () => (test.app.sandbox.control.state().stripe[account] as { prices: { id: string }[] }).prices.map(({ id }) => id);

  it('is started, cancelled, resumed and moved to another price', async () => {
    const customerId = String(test.app.sandbox.control.change('stripe', 'customers', { account, name: 'Payer' })['id']);
    const [priceId, otherPrice] = prices();
    const { body } = await run<{ subscriptionId: string }>('stripe', 'subscriptions.create', { customerId, priceId });
    const { subscriptionId } = body;
    expect(await run('stripe', 'subscriptions.cancel', { subscriptionId })).toMatchObject({
      status: 200,
      body: { cancelAtPeriodEnd: true },
    });
    expect(await run('stripe', 'subscriptions.resume', { subscriptionId })).toMatchObject({
      status: 200,
      body: { cancelAtPeriodEnd: false },
    });
    const key = { 'idempotency-key': randomUUID() };
    const change = { subscriptionId, priceId: otherPrice };
    const moved = await run('stripe', 'subscriptions.changePrice', change, key);
    expect(moved).toMatchObject({ status: 200, body: { subscriptionId, priceId: otherPrice } });
    expect(await run('stripe', 'subscriptions.changePrice', change, key)).toEqual({ ...moved, replayed: true });
  });
});
