import Stripe from 'stripe';
import { providerFixture, resourceOf, walked, type ProviderFixture, type Walked } from '../../../test/support/provider-fixture';
import { IntegrationError } from '../../errors';
import { GovernedHttp, type ConnectionRef, type Fetch, type Provider, type RawDelivery } from '../../integrations';
import { StripeAuthService } from './stripe-auth.service';
import { StripeRecordsHandler } from './stripe-records.handler';
import { StripeRevocationHandler } from './stripe-revocation.handler';
import { StripeSyncService } from './stripe-sync.service';
import { StripeWebhooksService } from './stripe-webhooks.service';
import { readStripeFault } from './stripe.faults';
import { stripeProvider } from './stripe.module';
import { createSubscriptionBody, StripeService } from './stripe.service';

let fixture: ProviderFixture;
let provider: Provider;
let stripe: StripeService;
beforeAll(async () => {
  fixture = await providerFixture([
    StripeAuthService,
    StripeSyncService,
    StripeWebhooksService,
    StripeRecordsHandler,
    StripeRevocationHandler,
  ]);
  const { module, settings } = fixture;
  provider = stripeProvider(settings, {
    auth: module.get(StripeAuthService),
    sync: module.get(StripeSyncService),
    webhooks: module.get(StripeWebhooksService),
  });
  fixture.register(provider);
  stripe = new StripeService(settings, module.get(GovernedHttp, { strict: false }));
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.sandbox.control.clearFaults();
  fixture.sandbox.control.clearLedger();
});

/** Like the chain for a pasted key: its bearer, and failures in our words. */
const asTyped = (apiKey: string) => ({ fetch: withKey(apiKey), apiKey });
const withKey =
  (key: string): Fetch =>
  async (input, init) => {
    const answer = await fetch(input, {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${key}` },
    });
    const json: unknown = await answer.clone().json();
    const fault = readStripeFault({ status: answer.status, headers: answer.headers, json });
    if (fault) throw new IntegrationError(fault.code, { ...fault, providerStatus: answer.status });
    return answer;
  };

describe('connecting', () => {
  it('acts for a connected account with the platform’s key and the account’s id', async () => {
    const headers = new Headers({
      authorization: 'Bearer sk_placeholder',
      'stripe-account': 'acct_SOMEONE',
      'stripe-context': 'acct_SOMEONE',
    });
    const connection = await fixture.connect('stripe');
    provider.http.authorize?.(headers, { accessToken: 'sk_test_theirs', connection });
    expect(headers.get('authorization')).toBe(`Bearer ${fixture.settings.providers['stripe']?.clientSecret}`);
    expect(`${headers.get('stripe-account')}:test`).toBe(connection.accountId);
    expect(headers.has('stripe-context')).toBe(false);
  });

  it('acts with a pasted key as it is, for no account but its own', () => {
    const headers = new Headers({ 'stripe-account': 'acct_SOMEONE' });
    provider.http.authorize?.(headers, {
      accessToken: 'rk_test_1',
      connection: { id: 'c', tenant: 't', userId: 'u', provider: 'stripe', accountId: 'acct_1', authType: 'api_key', metadata: {} },
    });
    expect(headers.get('authorization')).toBe('Bearer rk_test_1');
    expect(headers.has('stripe-account')).toBe(false);
  });

  it('is limited as its mode is, whatever that of the platform', () => {
    const perSecond = (livemode: boolean) => provider.resolve?.({ livemode }).http.limits['account']?.perSecond;
    expect([perSecond(true), perSecond(false)]).toEqual([100, 25]);
  });

  it('is another account in live mode than in test mode, told by the key', async () => {
    const key = String(fixture.sandbox.control.change('stripe', 'keys', { account: 'acct_1Both' })['key']);
    const { fetch } = asTyped(key);
    const live = await provider.auth.verifyApiKey?.({ fetch, apiKey: 'rk_live_123456789012' });
    expect(live).toMatchObject({ accountId: 'acct_1Both', metadata: { livemode: true } });
    const test = await provider.auth.verifyApiKey?.({ fetch, apiKey: key });
    expect(test).toMatchObject({
      accountId: 'acct_1Both:test',
      accountName: `${live?.accountName} (test mode)`,
      metadata: { livemode: false },
    });
  });

  it('takes a key after one real call, and refuses a wrong one', async () => {
    const key = String(fixture.sandbox.control.change('stripe', 'keys', { account: 'acct_1Key' })['key']);
    expect(provider.apiKey?.pattern.test(key)).toBe(true);
    expect(await provider.auth.verifyApiKey?.(asTyped(key))).toMatchObject({ accountId: 'acct_1Key:test', metadata: { livemode: false } });
    expect(fixture.sandbox.control.ledger({ kind: 'request' })).toHaveLength(1);
    await expect(provider.auth.verifyApiKey?.(asTyped('sk_test_wrong_wrong'))).rejects.toMatchObject({
      code: 'credentials_rejected',
    });
  });

  it('learns the account of a restricted key from the refusal, and checks that it may read customers', async () => {
    const key = String(fixture.sandbox.control.change('stripe', 'keys', { account: 'acct_1Restricted' })['key']);
    const message = "The provided key 'rk_test_*' does not have the required permissions for this endpoint on account 'acct_1Restricted'.";
    fixture.sandbox.control.addFault({
      kind: 'status',
      provider: 'stripe',
      endpoint: 'account.retrieve',
      status: 403,
      body: { error: { type: 'invalid_request_error', message } },
    });
    expect(await provider.auth.verifyApiKey?.(asTyped(key))).toMatchObject({
      accountId: 'acct_1Restricted:test',
      metadata: { restricted: true, livemode: false },
    });
    fixture.sandbox.control.addFault({
      kind: 'status',
      provider: 'stripe',
      endpoint: 'customers.list',
      status: 403,
      body: { error: { type: 'invalid_request_error', message } },
    });
    await expect(provider.auth.verifyApiKey?.(asTyped(key))).rejects.toMatchObject({ code: 'credentials_rejected' });
  });

  it('says nothing of the key while Stripe is down', async () => {
    fixture.sandbox.control.addFault({ kind: 'status', provider: 'stripe', endpoint: 'account.retrieve', status: 503 });
    await expect(provider.auth.verifyApiKey?.(asTyped('sk_test_whatever1'))).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
  });
});

describe('faults', () => {
  const read = (status: number, error: unknown) => readStripeFault({ status, headers: new Headers(), json: { error } });

  it.each([
    [
      402,
      { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' },
      {
        code: 'card_declined',
        extra: { declineCode: 'insufficient_funds' },
        detail: expect.stringContaining('insufficient funds') as string,
      },
    ],
    [
      402,
      { type: 'card_error', code: 'card_declined', decline_code: 'fraudulent' },
      { code: 'card_declined', extra: { declineCode: 'generic_decline' }, detail: 'Your card was declined.' },
    ],
    [402, { type: 'card_error', code: 'card_declined', decline_code: 'lost_card' }, { extra: { declineCode: 'generic_decline' } }],
    [402, { type: 'card_error', code: 'expired_card' }, { extra: { declineCode: 'expired_card' } }],
    [429, { type: 'invalid_request_error', code: 'lock_timeout' }, { code: 'provider_rate_limited', retryable: true }],
    [
      409,
      { type: 'invalid_request_error', code: 'idempotency_key_in_use' },
      { code: 'provider_conflict', retryable: true, notExecuted: false },
    ],
    [400, { type: 'idempotency_error', code: 'idempotency_key_reuse' }, { code: 'idempotency_key_reused', retryable: false }],
    [404, { type: 'invalid_request_error', code: 'resource_missing' }, { code: 'provider_not_found' }],
    [401, { type: 'invalid_request_error' }, { grantEnded: true }],
    [
      400,
      { type: 'invalid_request_error', param: 'items[0][price]' },
      { code: 'provider_rejected', detail: expect.stringContaining('items[0][price]') as string },
    ],
    [500, { type: 'api_error' }, { code: 'provider_unavailable' }],
    [400, 'invalid_grant', { code: 'connect_failed', providerCode: 'invalid_grant' }],
  ])('%s %j', (status, error, expected) => {
    expect(read(status, error)).toMatchObject(expected);
  });

  it('leaves a failure without a word of Stripe’s to the status, and a success alone', () => {
    expect(readStripeFault({ status: 500, headers: new Headers(), json: { message: 'upstream' } })).toBeUndefined();
    expect(readStripeFault({ status: 200, headers: new Headers(), json: { error: { type: 'x' } } })).toBeUndefined();
  });
});

it("takes a refused platform key for the operator's fault, and a refused pasted key for its owner's", () => {
  const json = { error: { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_***1234' } };
  const told = (authType: 'oauth2' | 'api_key') => readStripeFault({ status: 401, headers: new Headers(), json, authType });
  expect(told('oauth2')).toMatchObject({ code: 'provider_misconfigured' });
  expect(told('oauth2')).not.toHaveProperty('grantEnded');
  expect(told('api_key')).toMatchObject({ code: 'needs_reauth', grantEnded: true });
});

describe('sync', () => {
  const account = 'acct_1Sync';
  let connection: ConnectionRef;
  beforeAll(async () => {
    connection = await fixture.connect('stripe', account);
    fixture.sandbox.control.seed({ provider: 'stripe', account, resource: 'customers', count: 230 });
  });
  const customers = () => resourceOf(provider, 'customers');
  const full = (checkpoint?: unknown) => walked(customers().full(fixture.syncContext(connection, '', { checkpoint })));
  const since = (cursor: unknown, now = Date.now()): Promise<Walked> =>
    walked(customers().incremental!({ ...fixture.syncContext(connection, '', { now: () => now }), cursor }));

  it('walks every page, and goes on from a checkpoint', async () => {
    const all = await full();
    expect(all.records.size).toBe(260);
    expect(all.pages).toHaveLength(3);
    expect((await full(all.pages[1]?.checkpoint)).records.size).toBe(60);
  });

  it('starts again where the object of the checkpoint is gone', async () => {
    expect((await full({ after: 'cus_gone', since: 1 })).records.size).toBe(260);
  });

  it('sees what was made, changed and deleted since, as it is now', async () => {
    const { cursor } = await full();
    const control = fixture.sandbox.control;
    const made = control.change('stripe', 'customers', { account, name: 'New' });
    control.change('stripe', 'customers', { account, id: String(made['id']), name: 'Newer' });
    const doomed = control.change('stripe', 'customers', { account, name: 'Doomed' });
    control.change('stripe', 'customers', { account, id: String(doomed['id']), delete: true });
    control.clearLedger();
    const changes = await since(cursor);
    expect(changes.records.get(String(made['id']))).toMatchObject({ name: 'Newer' });
    expect(changes.deleted).toEqual([String(doomed['id'])]);
    expect(control.ledger({ endpoint: 'customers.retrieve' }).length).toBe(2);
  });

  it('asks for a full run once the events of the gap are gone, or the cursor is none of ours', async () => {
    const { cursor } = await full();
    await expect(since(cursor, Date.now() + 31 * 86_400_000)).rejects.toMatchObject({ code: 'sync_cursor_expired' });
    await expect(since({ nonsense: true })).rejects.toMatchObject({ code: 'sync_cursor_expired' });
  });

  it('keeps the cancelled subscriptions', async () => {
    const context = fixture.syncContext(connection);
    const before = await walked(resourceOf(provider, 'subscriptions').full(context));
    const [id] = [...before.records.keys()];
    fixture.sandbox.control.change('stripe', 'subscriptions', { account, id: String(id), action: 'cancel' });
    const after = await walked(resourceOf(provider, 'subscriptions').full(fixture.syncContext(connection)));
    expect(after.records.get(String(id))).toMatchObject({ status: 'canceled' });
  });

  it('takes nothing of a test clock for gone, which lists leave out that do not name it', async () => {
    const { control } = fixture.sandbox;
    const clocked = String(control.change('stripe', 'customers', { account, name: 'Clocked', test_clock: 'clock_1' })['id']);
    const all = await full();
    expect([all.records.has(clocked), all.extent]).toEqual([true, { complete: true }]);
    // The last place was within the clock's own list.
    expect((await full({ ...(all.pages.at(-2)?.checkpoint as object) })).records.has(clocked)).toBe(true);
    const invoices = await walked(resourceOf(provider, 'invoices').full(fixture.syncContext(connection)));
    expect(invoices.extent).toMatchObject({ complete: false, why: expect.stringContaining('test clocks') as string });

    for (const status of [400, 403, 404]) {
      control.clearFaults();
      const body = { error: { type: 'invalid_request_error', message: 'Test clocks are not for you.' } };
      control.addFault({ kind: 'status', provider: 'stripe', endpoint: 'test_clocks.list', status, body });
      expect((await full()).extent).toMatchObject({ complete: false, why: expect.stringContaining('test clocks') as string });
    }
    const live = fixture.syncContext({ ...connection, metadata: { ...connection.metadata, livemode: true } });
    expect((await walked(customers().full(live))).extent).toEqual({ complete: true });
  });

  it('does not take an upstream’s JSON for an answer', async () => {
    fixture.sandbox.control.addFault({
      kind: 'status',
      provider: 'stripe',
      endpoint: 'customers.list',
      status: 200,
      body: { message: 'upstream' },
    });
    await expect(full()).rejects.toMatchObject({ code: 'provider_bad_answer' });
  });
});

describe('events', () => {
  const delivery = (event: object): RawDelivery => ({ headers: {}, receivedAt: Date.now(), body: Buffer.from(JSON.stringify(event)) });
  const event = {
    id: 'evt_1',
    object: 'event',
    type: 'customer.updated',
    created: 1_700_000_000,
    livemode: true,
    account: 'acct_1',
    data: { object: { id: 'cus_1', object: 'customer' } },
  };

  it('names account, object and time', () => {
    expect(provider.webhooks!.parse(delivery(event)).events).toEqual([
      { eventId: 'evt_1', type: 'customer.updated', routingKey: 'acct_1', objectKey: 'customer/cus_1', objectVersion: 1_700_000_000_000 },
    ]);
  });

  it('are of the account in the mode in which they happened, and of none where they do not say it', () => {
    const thin = {
      id: 'evt_2',
      object: 'v2.core.event',
      type: 'v1.customer.updated',
      created: '2026-11-01T00:00:00Z',
      context: 'acct_1',
    };
    for (const told of [event, thin]) {
      const routed = (livemode?: boolean) => provider.webhooks!.parse(delivery({ ...told, livemode })).events[0]?.routingKey;
      expect([routed(true), routed(false), routed()]).toEqual(['acct_1', 'acct_1:test', undefined]);
    }
  });

  it('verifies what Stripe’s own library signed, and refuses an altered body', () => {
    const payload = JSON.stringify(event);
    const [secret = ''] = fixture.settings.providers['stripe']?.webhookSecrets ?? [];
    const header = Stripe.webhooks.generateTestHeaderString({ payload, secret });
    const signed = { headers: { 'stripe-signature': header }, body: Buffer.from(payload), receivedAt: Date.now() };
    expect(provider.webhooks!.verify(signed)).toEqual({ ok: true });
    expect(provider.webhooks!.verify({ ...signed, body: Buffer.from(payload.replace('cus_1', 'cus_2')) })).toEqual({
      ok: false,
      cause: 'wrong_signature',
    });
  });

  it('refuses what is no event', () => {
    for (const bad of [{}, { ...event, object: 'customer' }, { ...event, id: 'cus_1' }])
      expect(() => provider.webhooks!.parse(delivery(bad))).toThrow(IntegrationError);
  });

  it('reads the object anew, whatever the event says of it', async () => {
    const account = 'acct_1Anew';
    const connection = await fixture.connect('stripe', account);
    const made = fixture.sandbox.control.change('stripe', 'customers', { account, name: 'Now' });
    const { fetch, signal } = fixture.syncContext(connection);
    const handler = fixture.module.get(StripeRecordsHandler);
    const stale = {
      type: 'customer.updated',
      payload: { livemode: false, data: { object: { id: String(made['id']), object: 'customer', name: 'Long ago' } } },
    } as never;
    expect(await handler.prepare(stale, { connection, fetch, signal })).toMatchObject({
      resource: 'customers',
      record: { data: { name: 'Now' } },
    });
    const thin = { type: 'v1.customer.updated', payload: { object: 'v2.core.event', related_object: { id: String(made['id']) } } } as never;
    expect(await handler.prepare(thin, { connection, fetch, signal })).toMatchObject({ record: { data: { name: 'Now' } } });
    fixture.sandbox.control.change('stripe', 'customers', { account, id: String(made['id']), delete: true });
    expect(await handler.prepare(stale, { connection, fetch, signal })).toEqual({
      resource: 'customers',
      record: { id: made['id'], deleted: true },
    });
    const other = { type: 'customer.updated', payload: { livemode: true, data: { object: { id: String(made['id']) } } } } as never;
    expect(await handler.prepare(other, { connection, fetch, signal })).toBeUndefined();
  });

  it('asks Stripe before it believes that the access has ended', async () => {
    const connection = await fixture.connect('stripe', 'acct_1Ending');
    const { fetch, signal } = fixture.syncContext(connection);
    const handler = fixture.module.get(StripeRevocationHandler);
    expect(await handler.prepare({} as never, { connection, fetch, signal })).toBe(false);
    fixture.sandbox.control.revokeTokens('stripe', 'acct_1Ending');
    expect(await handler.prepare({} as never, { connection, fetch, signal })).toBe(true);
  });
});

describe('subscriptions', () => {
  const account = 'acct_1Subscribe';
  let connection: ConnectionRef;
  let priceId: string;
  beforeAll(async () => {
    connection = await fixture.connect('stripe', account);
    const prices = await walked(resourceOf(provider, 'prices').full(fixture.syncContext(connection)));
    priceId = String([...prices.records.keys()][0]);
  });
  const customer = (fields: object = {}) =>
    String(fixture.sandbox.control.change('stripe', 'customers', { account, name: 'Payer', ...fields })['id']);

  it('starts with a client secret, once for one key', async () => {
    const wanted = { customerId: customer(), priceId, metadata: { plan: 'team' } };
    const first = await stripe.createSubscription(connection, wanted, 'key-1');
    expect(first).toMatchObject({ status: 'incomplete', clientSecret: expect.stringContaining('_secret_') as string });
    fixture.sandbox.control.addFault({ kind: 'reset-after', provider: 'stripe', endpoint: 'subscriptions.create', count: 1 });
    const second = await stripe.createSubscription(connection, wanted, 'key-2');
    const made = await walked(resourceOf(provider, 'subscriptions').full(fixture.syncContext(connection)));
    const ours = [...made.records.values()].filter((each) => (each as Stripe.Subscription).customer === wanted.customerId);
    expect(ours.map((each) => (each as Stripe.Subscription).id).sort()).toEqual([first.subscriptionId, second.subscriptionId].sort());
  });

  it('ends at the end of the period, which stands on the items', async () => {
    const made = await stripe.createSubscription(connection, { customerId: customer(), priceId }, 'key-3');
    const cancelled = await stripe.setCancelAtPeriodEnd(connection, made.subscriptionId, true, 'key-4');
    expect(cancelled).toMatchObject({ subscriptionId: made.subscriptionId, cancelAtPeriodEnd: true });
    expect(Date.parse(String(cancelled.currentPeriodEnd))).toBeGreaterThan(Date.now());
  });

  it('tells of a declined card in a sentence', async () => {
    const wanted = { customerId: customer({ metadata: { sandbox_decline: 'insufficient_funds' } }), priceId };
    await expect(stripe.createSubscription(connection, wanted, 'key-5')).rejects.toMatchObject({
      code: 'card_declined',
      status: 402,
      extra: { declineCode: 'insufficient_funds' },
      retryable: false,
    });
    await expect(stripe.createSubscription(connection, { customerId: 'cus_none', priceId }, 'key-6')).rejects.toMatchObject({
      code: 'provider_not_found',
    });
  });

  it('does not take a 500 without an error for a subscription', async () => {
    fixture.sandbox.control.addFault({ kind: 'no-error-json', provider: 'stripe', endpoint: 'subscriptions.create' });
    await expect(stripe.createSubscription(connection, { customerId: customer(), priceId }, 'key-7')).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
    fixture.sandbox.control.clearFaults();
    fixture.sandbox.control.addFault({ kind: 'no-error-json', status: 200, provider: 'stripe', endpoint: 'subscriptions.create' });
    await expect(stripe.createSubscription(connection, { customerId: customer(), priceId }, 'key-8')).rejects.toMatchObject({
      code: 'provider_bad_answer',
    });
  });

  it('takes ids of the right kind and nothing unknown', () => {
    expect(createSubscriptionBody.safeParse({ customerId: 'cus_1', priceId: 'price_1' }).success).toBe(true);
    for (const bad of [
      { customerId: '../x', priceId: 'price_1' },
      { customerId: 'cus_1', priceId: 'price_1', trial: 30 },
      { customerId: 'cus_1' },
    ])
      expect(createSubscriptionBody.safeParse(bad).success).toBe(false);
  });
});
