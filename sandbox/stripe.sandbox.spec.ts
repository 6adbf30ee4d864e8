import Stripe from 'stripe';
import { type Sandbox, startSandbox } from '.';
import { consent, postForm, REDIRECT_URI } from './testing/consent';
import { type Receiver, startReceiver } from './testing/receiver';

const ACCOUNT = 'acct_1Blue';

describe('the pretend Stripe', () => {
  let sandbox: Sandbox;
  let receiver: Receiver;
  let env: Record<string, string>;

  beforeEach(async () => {
    receiver = await startReceiver();
    sandbox = await startSandbox({ webhookRetryMs: [1, 1] });
    env = sandbox.env();
  });

  afterEach(async () => {
    await sandbox.stop();
    await receiver.stop();
  });

  const client = (key: string, stripeAccount?: string): Stripe =>
    new Stripe(key, {
      host: '127.0.0.1',
      port: Number(new URL(sandbox.urls.stripe).port),
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(),
      ...(stripeAccount ? { stripeAccount } : {}),
    });
  const connect = async (): Promise<Record<string, string>> => {
    const redirect = await consent(env['STRIPE_AUTHORIZE_URL'] ?? '', {
      client_id: env['STRIPE_CLIENT_ID'] ?? '',
      response_type: 'code',
      scope: 'read_write',
      account: ACCOUNT,
    });
    const { body } = await exchange(redirect.get('code') ?? '');
    return body as Record<string, string>;
  };
  const exchange = (code: string, secret = env['STRIPE_SECRET_KEY'] ?? ''): ReturnType<typeof postForm> =>
    postForm(env['STRIPE_TOKEN_URL'] ?? '', { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, client_secret: secret });
  const connected = async (): Promise<Stripe> => client((await connect())['access_token'] ?? '');

  it('connects an account: the token and the platform key with Stripe-Account both reach it', async () => {
    const body = await connect();
    expect(body).toMatchObject({ stripe_user_id: ACCOUNT, token_type: 'bearer', scope: 'read_write', livemode: false });
    expect((await client(body['access_token'] ?? '').accounts.retrieveCurrent()).id).toBe(ACCOUNT);
    const asPlatform = await client(env['STRIPE_SECRET_KEY'] ?? '').customers.list({ limit: 1 }, { stripeAccount: ACCOUNT });
    const asAccount = await client(body['access_token'] ?? '').customers.list({ limit: 1 });
    expect(asPlatform.data[0]?.id).toBe(asAccount.data[0]?.id);
  });

  it('refuses a wrong secret and an unknown code; a second use of a code ends what the first gave', async () => {
    const redirect = await consent(env['STRIPE_AUTHORIZE_URL'] ?? '', {
      client_id: env['STRIPE_CLIENT_ID'] ?? '',
      response_type: 'code',
      scope: 'read_write',
      account: ACCOUNT,
    });
    const code = redirect.get('code') ?? '';
    expect(await exchange(code, 'sk_test_wrong')).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await exchange('ac_unknown')).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const first = await exchange(code);
    expect(await exchange(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await expect(client(String(first.body['access_token'])).customers.list()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
      statusCode: 401,
    });
  });

  it('refuses unknown and revoked keys with 401, and accounts that are not connected with 403', async () => {
    await expect(client('sk_test_nobody').customers.list()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
      rawType: 'invalid_request_error',
    });
    await expect(client(env['STRIPE_SECRET_KEY'] ?? '', 'acct_1Other').customers.list()).rejects.toMatchObject({
      type: 'StripePermissionError',
      code: 'account_invalid',
    });
    const { access_token: token = '' } = await connect();
    sandbox.setWebhookTarget(receiver.origin);
    const done = await postForm(
      env['STRIPE_REVOKE_URL'] ?? '',
      { client_id: env['STRIPE_CLIENT_ID'] ?? '', stripe_user_id: ACCOUNT },
      { authorization: `Bearer ${env['STRIPE_SECRET_KEY'] ?? ''}` },
    );
    expect(done).toEqual({ status: 200, body: { stripe_user_id: ACCOUNT } });
    await expect(client(token).customers.list()).rejects.toMatchObject({ statusCode: 401 });
    expect(await sandbox.control.settle()).toBe(true);
    expect(JSON.parse(receiver.received[0]?.body ?? '{}')).toMatchObject({ type: 'account.application.deauthorized', account: ACCOUNT });
  });

  it('takes restricted keys as a person would paste them', async () => {
    const key = String(sandbox.control.change('stripe', 'keys', { account: ACCOUNT })['key']);
    expect(key).toMatch(/^rk_test_/);
    expect((await client(key).accounts.retrieveCurrent()).id).toBe(ACCOUNT);
  });

  it('pages newest first, both ways, and filters by time of creation', async () => {
    const stripe = await connected();
    const all = await stripe.customers.list({ limit: 100 });
    expect(all.data).toHaveLength(30);
    expect(all.has_more).toBe(false);
    const created = all.data.map((customer) => customer.created);
    expect(created).toEqual([...created].sort((a, b) => b - a));
    const first = await stripe.customers.list({ limit: 12 });
    const second = await stripe.customers.list({ limit: 12, starting_after: first.data.at(-1)?.id ?? '' });
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(all.data.slice(0, 24).map(({ id }) => id));
    const back = await stripe.customers.list({ limit: 12, ending_before: second.data[0]?.id ?? '' });
    expect(back.data.map(({ id }) => id)).toEqual(first.data.map(({ id }) => id));
    const some = await stripe.customers.list({ limit: 100, created: { gte: created[9] ?? 0 } });
    expect(some.data).toHaveLength(10);
    expect(await stripe.customers.list({ limit: 10 }).autoPagingToArray({ limit: 100 })).toHaveLength(30);
  });

  it('makes an incomplete subscription whose confirmation secret appears when expanded', async () => {
    const stripe = await connected();
    const customer = await stripe.customers.create({ email: 'a@b.test', metadata: { plan: 'x' } });
    const price = (await stripe.prices.list()).data.find((candidate) => candidate.nickname === 'Team');
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price?.id ?? '', quantity: 2 }],
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
      expand: ['latest_invoice.confirmation_secret', 'customer'],
    });
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(subscription.status).toBe('incomplete');
    expect((subscription.customer as Stripe.Customer).email).toBe('a@b.test');
    expect(invoice.amount_due).toBe(9800);
    expect(invoice.confirmation_secret).toMatchObject({ type: 'payment_intent' });
    expect(invoice.confirmation_secret?.client_secret).toMatch(/^pi_.+_secret_/);
    expect(invoice.parent?.subscription_details?.subscription).toBe(subscription.id);
    expect('current_period_end' in subscription).toBe(false);
    expect(subscription.items.data[0]?.current_period_end).toBeGreaterThan(subscription.created);

    const plain = await stripe.subscriptions.retrieve(subscription.id);
    expect(plain.latest_invoice).toBe(invoice.id);
    sandbox.control.change('stripe', 'subscriptions', { account: ACCOUNT, id: subscription.id, action: 'pay' });
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
    expect((await stripe.invoices.retrieve(invoice.id ?? '')).status).toBe('paid');
  });

  it('cancels at the end of the period, takes it back, and cancels at once', async () => {
    const stripe = await connected();
    const [subscription] = (await stripe.subscriptions.list()).data;
    const id = subscription?.id ?? '';
    const later = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(later).toMatchObject({ status: 'active', cancel_at_period_end: true, cancel_at: later.items.data[0]?.current_period_end });
    expect(await stripe.subscriptions.update(id, { cancel_at_period_end: false })).toMatchObject({ cancel_at: null, canceled_at: null });
    expect((await stripe.subscriptions.cancel(id)).status).toBe('canceled');
    await expect(stripe.subscriptions.cancel(id)).rejects.toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect((await stripe.subscriptions.list()).data).toHaveLength(4);
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toHaveLength(5);
  });

  it('declines the card of a marked customer, and of a bad payment method', async () => {
    const stripe = await connected();
    const customer = await stripe.customers.create({ metadata: { sandbox_decline: 'insufficient_funds' } });
    const price = (await stripe.prices.list()).data[0]?.id ?? '';
    await expect(stripe.subscriptions.create({ customer: customer.id, items: [{ price }] })).rejects.toMatchObject({
      type: 'StripeCardError',
      rawType: 'card_error',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      statusCode: 402,
    });
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    await expect(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_chargeDeclined' })).rejects.toMatchObject({
      statusCode: 402,
      decline_code: 'generic_decline',
    });
    expect((await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).status).toBe('succeeded');
  });

  it('replays the answer of an idempotency key, and refuses other parameters and a concurrent use', async () => {
    const stripe = await connected();
    const first = await stripe.customers.create({ name: 'Once' }, { idempotencyKey: 'key-1' });
    const again = await stripe.customers.create({ name: 'Once' }, { idempotencyKey: 'key-1' });
    expect(again.id).toBe(first.id);
    // With the fetch client, lastResponse is the Response itself, whatever the types say.
    expect((again.lastResponse.headers as unknown as Headers).get('idempotent-replayed')).toBe('true');
    await expect(stripe.customers.create({ name: 'Other' }, { idempotencyKey: 'key-1' })).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
    expect((await stripe.customers.list({ limit: 100 })).data).toHaveLength(31);

    sandbox.control.addFault({ kind: 'latency', provider: 'stripe', endpoint: 'customers.create', latencyMs: 500, count: 1 });
    const results = await Promise.allSettled([
      stripe.customers.create({ name: 'Both' }, { idempotencyKey: 'key-2' }),
      stripe.customers.create({ name: 'Both' }, { idempotencyKey: 'key-2' }),
    ]);
    const refused = results.find((result) => result.status === 'rejected');
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(refused?.reason).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
  });

  it('keeps a decline under its key, but not a validation failure', async () => {
    const stripe = await connected();
    const customer = await stripe.customers.create({ metadata: { sandbox_decline: 'true' } });
    const price = (await stripe.prices.list()).data[0]?.id ?? '';
    const create = (): Promise<unknown> =>
      stripe.subscriptions.create({ customer: customer.id, items: [{ price }] }, { idempotencyKey: 'declined' });
    await expect(create()).rejects.toMatchObject({ statusCode: 402 });
    await stripe.customers.update(customer.id, { metadata: { sandbox_decline: '' } });
    await expect(create()).rejects.toMatchObject({ statusCode: 402, headers: { 'idempotent-replayed': 'true' } });
    await expect(
      stripe.subscriptions.create({ customer: 'cus_none', items: [{ price }] }, { idempotencyKey: 'invalid' }),
    ).rejects.toMatchObject({ statusCode: 400, param: 'customer' });
    expect((await stripe.subscriptions.create({ customer: customer.id, items: [{ price }] }, { idempotencyKey: 'invalid' })).object).toBe(
      'subscription',
    );
  });

  it('sends signed events of connected accounts, and lists them since one of them', async () => {
    const stripe = await connected();
    sandbox.setWebhookTarget(receiver.origin);
    receiver.answers.push(500);
    const customer = await stripe.customers.create({ name: 'Ada' });
    expect(await sandbox.control.settle()).toBe(true);
    await stripe.customers.update(customer.id, { name: 'Ada B.' });
    await stripe.customers.del(customer.id);
    expect(await sandbox.control.settle()).toBe(true);
    const events = receiver.received.map(({ body, headers }) =>
      stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), env['STRIPE_WEBHOOK_SECRET'] ?? ''),
    );
    expect(events.map((event) => event.type)).toEqual(['customer.created', 'customer.created', 'customer.updated', 'customer.deleted']);
    expect(events[0]?.id).toBe(events[1]?.id);
    expect(events[2]).toMatchObject({ account: ACCOUNT, api_version: '2026-10-28.endive', data: { previous_attributes: { name: 'Ada' } } });
    const since = await stripe.events.list({ types: ['customer.updated', 'customer.deleted'], ending_before: events[0]?.id ?? '' });
    expect(since.data.map((event) => event.type)).toEqual(['customer.deleted', 'customer.updated']);
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true });
  });

  it('sends thin events, which say what they are about and not what it is', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    await sandbox.control.deliver({ provider: 'stripe', type: 'v1.customer.updated', account: ACCOUNT });
    await sandbox.control.deliver({ provider: 'stripe', type: 'v2.core.event_destination.ping', account: ACCOUNT });
    const [about, ping] = receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(about).toMatchObject({
      object: 'v2.core.event',
      context: ACCOUNT,
      related_object: { type: 'customer', id: expect.stringMatching(/^cus_/) as string },
    });
    expect(ping).toMatchObject({ object: 'v2.core.event', created: expect.stringMatching(/T.*Z$/) as string, related_object: null });
  });

  it('forges what it is asked to forge', async () => {
    await connect();
    sandbox.setWebhookTarget(receiver.origin);
    const stripe = client('sk_test_any');
    for (const forge of ['bad-signature', 'old-timestamp', 'altered-body', 'no-signature'] as const)
      await sandbox.control.deliver({ provider: 'stripe', type: 'customer.updated', forge });
    expect(receiver.received).toHaveLength(4);
    for (const { body, headers } of receiver.received) {
      expect(() =>
        stripe.webhooks.constructEvent(body, String(headers['stripe-signature'] ?? ''), env['STRIPE_WEBHOOK_SECRET'] ?? ''),
      ).toThrow();
    }
  });
});
