import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { useConnectedApp } from './support/connected-app';

const test = useConnectedApp();
const { call, connections, hits } = test;

describe('Slack', () => {
  it('posts a message once for one key, and replays the answer', async () => {
    const { body } = await call<{ data: { id: string; isMember: boolean }[] }>('GET', 'slack', 'slack/channels');
    const channel = body.data.find((each) => each.isMember)?.id;
    const key = { 'idempotency-key': randomUUID() };
    const first = await call<{ ts: string; channel: string }>('POST', 'slack', 'slack/messages', { channel, text: 'Hello <!here>' }, key);
    expect(first).toMatchObject({ status: 201, body: { channel }, replayed: false });
    const second = await call('POST', 'slack', 'slack/messages', { channel, text: 'Hello <!here>' }, key);
    expect(second).toEqual({ ...first, replayed: true });
    expect(await call('POST', 'slack', 'slack/messages', { channel, text: 'Other' }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('never posts twice what may have been posted', async () => {
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'slack', endpoint: 'chat.postMessage' });
    const key = { 'idempotency-key': randomUUID() };
    const send = () => call('POST', 'slack', 'slack/messages', { channel: 'general', text: 'Perhaps' }, key);
    expect(await send()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(await send()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(hits('chat.postMessage')).toHaveLength(1);
  });

  it('pages through channels, and refuses a cursor of another list', async () => {
    const first = await call<{ data: { id: string }[]; nextCursor: string }>('GET', 'slack', 'slack/channels?limit=2');
    const second = await call<{ data: { id: string }[] }>('GET', 'slack', `slack/channels?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.data.some(({ id }) => first.body.data.some((each) => each.id === id))).toBe(false);
    expect(await call('GET', 'slack', 'slack/channels?cursor=nonsense')).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
  });

  it('keeps what is said in its channels as records', async () => {
    const said = test.app.sandbox.control.change('slack', 'messages', { account: 'T_ACME', channel: 'general', text: 'Good morning' });
    await test.browser.eventually(async () => {
      const { status, body } = await test.browser.api<{ data: { id: string; data: { text: string } }[] }>(
        'GET',
        `/v1/connections/${connections['slack']}/records/messages`,
      );
      return status === 200 && body.data.some((each) => each.id.endsWith(String(said['ts'])) && each.data.text === 'Good morning')
        ? true
        : undefined;
    });
  });
});

describe('Stripe', () => {
  const account = 'acct_1SandboxAcme';
  const priceId = () => (test.app.sandbox.control.state().stripe[account] as { prices: { id: string }[] }).prices[0]?.id;
  const customer = (fields: object = {}) =>
    String(test.app.sandbox.control.change('stripe', 'customers', { account, name: 'Payer', ...fields })['id']);

  it('starts a subscription with its client secret, once for one key, and cancels it at the end of the period', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const wanted = { customerId: customer(), priceId: priceId(), metadata: { seats: '3' } };
    const first = await call<{ subscriptionId: string; clientSecret: string }>('POST', 'stripe', 'stripe/subscriptions', wanted, key);
    expect(first).toMatchObject({
      status: 201,
      body: { status: 'incomplete', clientSecret: expect.stringContaining('_secret_') as string },
    });
    expect((await call('POST', 'stripe', 'stripe/subscriptions', wanted, key)).body).toEqual(first.body);
    expect(hits('subscriptions.create')).toHaveLength(1);
    const cancelled = await call('DELETE', 'stripe', `stripe/subscriptions/${first.body.subscriptionId}`);
    expect(cancelled).toMatchObject({
      status: 200,
      body: {
        subscriptionId: first.body.subscriptionId,
        cancelAtPeriodEnd: true,
        currentPeriodEnd: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
    });
  });

  it('answers a declined card with 402 and the reason', async () => {
    const wanted = { customerId: customer({ metadata: { sandbox_decline: 'insufficient_funds' } }), priceId: priceId() };
    const key = { 'idempotency-key': randomUUID() };
    const declined = await call('POST', 'stripe', 'stripe/subscriptions', wanted, key);
    expect(await call('POST', 'stripe', 'stripe/subscriptions', wanted, key)).toMatchObject({
      status: 402,
      replayed: true,
      body: { code: 'card_declined', detail: declined.body.detail },
    });
    expect(declined).toMatchObject({
      status: 402,
      replayed: false,
      body: {
        code: 'card_declined',
        declineCode: 'insufficient_funds',
        detail: expect.stringMatching(/^Your card was declined/) as string,
      },
    });
  });

  it('makes one subscription though the answer was lost on the way', async () => {
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'stripe', endpoint: 'subscriptions.create', count: 1 });
    const { status } = await call('POST', 'stripe', 'stripe/subscriptions', { customerId: customer(), priceId: priceId() });
    expect(status).toBe(201);
    const keys = hits('subscriptions.create').map(({ idempotencyKey }) => idempotencyKey);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it('connects with a key, and refuses a bad one', async () => {
    const apiKey = String(test.app.sandbox.control.change('stripe', 'keys', { account: 'acct_1Pasted' })['key']);
    expect(await test.browser.api('POST', '/v1/connections', { provider: 'stripe', apiKey })).toMatchObject({
      status: 201,
      body: { status: 'connected', account: { id: 'acct_1Pasted:test' } },
    });
    expect(await test.browser.api('POST', '/v1/connections', { provider: 'stripe', apiKey: 'sk_test_not_a_key_of_anybody' })).toMatchObject(
      {
        status: 422,
        body: { code: 'credentials_rejected' },
      },
    );
    expect(await test.browser.api('POST', '/v1/connections', { provider: 'stripe', apiKey: 'nonsense' })).toMatchObject({
      status: 422,
      body: { code: 'credentials_rejected' },
    });
  });
});

describe('Google', () => {
  it('sends an e-mail with an attachment larger than other bodies may be', async () => {
    const mail = {
      to: ['Zoë <zoe@example.test>'],
      bcc: ['hidden@example.test'],
      subject: 'Grüße',
      text: 'Hello',
      attachments: [
        {
          filename: 'big.bin',
          contentType: 'application/octet-stream',
          contentBase64: Buffer.alloc(3 * 1024 * 1024, 7).toString('base64'),
        },
      ],
    };
    const sent = await call<{ messageId: string; threadId: string }>('POST', 'google', 'google/emails', mail);
    expect(sent).toMatchObject({ status: 201, body: { messageId: expect.any(String) as string, threadId: expect.any(String) as string } });
    const state = test.app.sandbox.control.state().google['ada@acme.test'] as { emailsSent: object[] };
    expect(state.emailsSent.at(-1)).toMatchObject({ subject: 'Grüße', bcc: expect.stringContaining('hidden@example.test') as string });
  });

  it('finds a mail whose answer was lost on the way, and sends it once', async () => {
    const mail = { to: ['zoe@example.test'], subject: 'Perhaps', text: 'Hello' };
    const key = { 'idempotency-key': randomUUID() };
    test.app.sandbox.control.addFault({ kind: 'reset-after', provider: 'google', endpoint: 'gmail.messages.send', count: 1 });
    expect(await call('POST', 'google', 'google/emails', mail, key)).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    const found = await call<{ messageId: string; threadId: string }>('POST', 'google', 'google/emails', mail, key);
    expect(found).toMatchObject({ status: 201, body: { messageId: expect.any(String) as string }, replayed: true });
    expect(await call('POST', 'google', 'google/emails', mail, key)).toEqual(found);
    expect(hits('gmail.messages.send')).toHaveLength(1);
    expect(hits('gmail.messages.list')).toHaveLength(1);
  });

  it('does not repeat a mail that was not sent for all we can see', async () => {
    const mail = { to: ['zoe@example.test'], subject: 'Perhaps not', text: 'Hello' };
    const key = { 'idempotency-key': randomUUID() };
    test.app.sandbox.control.addFault({ kind: 'reset', provider: 'google', endpoint: 'gmail.messages.send', count: 1 });
    const send = () => call('POST', 'google', 'google/emails', mail, key);
    expect(await send()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(await send()).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(hits('gmail.messages.send')).toHaveLength(1);
  });

  it('lists the events of a window by their start', async () => {
    const day = 86_400_000;
    const window = new URLSearchParams({
      timeMin: new Date(Date.now() - 10 * day).toISOString(),
      timeMax: new Date(Date.now() + 20 * day).toISOString(),
      limit: '5',
    });
    const first = await call<{ data: { id: string; start: string }[]; nextCursor: string }>(
      'GET',
      'google',
      `google/calendars/primary/events?${window.toString()}`,
    );
    expect(first.status).toBe(200);
    expect(first.body.data).toHaveLength(5);
    const second = await call<{ data: { start: string }[] }>(
      'GET',
      'google',
      `google/calendars/primary/events?limit=5&cursor=${first.body.nextCursor}`,
    );
    const starts = [...first.body.data, ...second.body.data].map(({ start }) => Date.parse(start));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(await call('GET', 'google', 'google/calendars/primary/events?timeMin=yesterday')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });
});

/** Nothing runs in the background: no sync, no event, no delivery on its way. */
async function quiet(): Promise<void> {
  await test.app.sandbox.control.settle(30_000);
  const database = test.app.app.get(DataSource);
  for (let look = 0; look < 600; look++) {
    const [busy] = await database.query<{ n: number }[]>(
      `SELECT (SELECT count(*) FROM sync_runs WHERE status IN ('queued', 'running')) + (SELECT count(*) FROM webhook_events WHERE status IN ('received', 'processing', 'failed')) AS n`,
    );
    if (Number(busy?.n) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('There is still work in the background.');
}

describe('every route', () => {
  // What the tests before have set going would be taken for calls of these routes.
  beforeAll(quiet);

  const routes = [
    ['GET', 'slack', 'slack/channels', undefined],
    ['POST', 'slack', 'slack/messages', { channel: 'C1', text: 'x' }],
    ['POST', 'stripe', 'stripe/subscriptions', { customerId: 'cus_1', priceId: 'price_1' }],
    ['DELETE', 'stripe', 'stripe/subscriptions/sub_1', undefined],
    ['POST', 'google', 'google/emails', { to: ['a@example.test'], subject: 's', text: 't' }],
    ['GET', 'google', 'google/calendars/primary/events', undefined],
  ] as const;

  it.each(routes)(
    '%s %s %s is a 404 for another tenant, and for a connection of another provider',
    async (method, provider, path, body) => {
      const stranger = await test.app.tokenFor({ tenant: 'other', user: 'eve', role: 'admin' });
      expect(await test.browser.api(method, `/v1/connections/${connections[provider]}/${path}`, body, { token: stranger })).toMatchObject({
        status: 404,
        body: { code: 'connection_not_found' },
      });
      const other = Object.keys(connections).find((key) => key !== provider) ?? '';
      expect(await call(method, other, path, body)).toMatchObject({ status: 404, body: { code: 'connection_not_found' } });
      expect(test.app.sandbox.control.ledger({ kind: 'request' })).toEqual([]);
    },
  );

  it.each(routes.filter(([method]) => method === 'POST'))(
    '%s %s %s refuses a field that it does not know',
    async (method, provider, path, body) => {
      expect(await call(method, provider, path, { ...body, admin: true })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    },
  );
});
