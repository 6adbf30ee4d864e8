import { WebClient } from '@slack/web-api';
import { calendar } from 'googleapis/build/src/apis/calendar';
import Stripe from 'stripe';
import { IntegrationError } from '../../errors';
import type { ConnectionRef } from '../contract';
import { callSdk } from './call-sdk';
import type { CallOptions } from './call';
import { chainFixture, type ChainFixture } from './testing/chain-fixture';

let fixture: ChainFixture;
beforeAll(async () => {
  fixture = await chainFixture();
});
afterAll(() => fixture.close());
beforeEach(() => fixture.clear());

interface Subject {
  readonly provider: 'slack' | 'stripe' | 'google';
  readonly endpoint: string;
  /** Tries when the first answer is lost on the way: a read and a Stripe POST with its key may go again, a message may not. */
  readonly triesAfterReset: number;
  readonly run: (connection: ConnectionRef, options?: CallOptions) => Promise<unknown>;
}

const SUBJECTS: Record<string, Subject> = {
  'Slack reads channels': {
    provider: 'slack',
    endpoint: 'conversations.list',
    triesAfterReset: 2,
    run: async (connection, options) => (await slack(connection, options).conversations.list()).channels,
  },
  'Slack posts a message': {
    provider: 'slack',
    endpoint: 'chat.postMessage',
    triesAfterReset: 1,
    run: async (connection, options) => (await slack(connection, options).chat.postMessage({ channel: 'general', text: 'Hello' })).ts,
  },
  'Stripe creates a customer': {
    provider: 'stripe',
    endpoint: 'customers.create',
    triesAfterReset: 2,
    run: (connection, options) => stripe(connection, options).customers.create({ name: 'Ada' }),
  },
  'Google lists events': {
    provider: 'google',
    endpoint: 'events.list',
    triesAfterReset: 2,
    run: async (connection, options) => (await google(connection, options).events.list({ calendarId: 'primary' })).data.items,
  },
};

describe.each(Object.entries(SUBJECTS))('%s', (_, { provider, endpoint, triesAfterReset, run }) => {
  let connection: ConnectionRef;
  beforeAll(async () => {
    connection = await fixture.connect(provider);
  });
  const call = (options?: CallOptions) => callSdk(() => run(connection, options));
  const fault = (spec: Parameters<ChainFixture['sandbox']['control']['addFault']>[0]) =>
    fixture.sandbox.control.addFault({ provider, endpoint, ...spec });

  it('is one request where all is well', async () => {
    expect(await call()).toBeDefined();
    expect(fixture.hits(endpoint)).toBe(1);
  });

  it('waits as long as a 429 asks, then goes again', async () => {
    fault({ kind: 'rate-limit', retryAfter: '1', count: 1 });
    await call();
    const [first, second, ...more] = fixture.sandbox.control.ledger({ kind: 'request', endpoint });
    expect(more).toEqual([]);
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(1_000);
  });

  it('is refused at once by a 400, without another try', async () => {
    fault({ kind: 'status', status: 400, ...(provider === 'slack' && { body: { ok: false, error: 'invalid_arguments' } }) });
    await expect(call()).rejects.toMatchObject({ code: 'provider_rejected', retryable: false, notExecuted: true });
    expect(fixture.hits(endpoint)).toBe(1);
  });

  it(`goes ${triesAfterReset} times when the connection is lost after sending`, async () => {
    fault({ kind: 'reset', count: 1 });
    const outcome = await call().catch((error: unknown) => error);
    expect(fixture.hits(endpoint)).toBe(triesAfterReset);
    if (triesAfterReset === 1) expect(outcome).toMatchObject({ code: 'provider_unavailable', notExecuted: false });
    else expect(outcome).not.toBeInstanceOf(Error);
  });

  it('goes again after server errors only where it may be repeated', async () => {
    fault({ kind: 'status', status: 500, count: 2 });
    const outcome = await call().catch((error: unknown) => error);
    expect(fixture.hits(endpoint)).toBe(triesAfterReset === 1 ? 1 : 3);
    if (triesAfterReset === 1) expect(outcome).toMatchObject({ code: 'provider_unavailable', notExecuted: false });
    else expect(outcome).not.toBeInstanceOf(Error);
  });

  it('never takes a server error without an error in it for an answer', async () => {
    fault({ kind: 'no-error-json', status: 500 });
    await expect(call()).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(fixture.hits(endpoint)).toBe(triesAfterReset === 1 ? 1 : 4);
  });

  it.each(['html-200', 'truncated-json', 'wrong-content-type'] as const)('takes %s for what it is: no answer', async (kind) => {
    fault({ kind });
    await expect(call()).rejects.toMatchObject({ code: 'provider_bad_answer' });
  });
});

describe('Slack, saying ok: false with 200', () => {
  it('is a limit like any other where it says ratelimited', async () => {
    const connection = await fixture.connect('slack');
    fixture.sandbox.control.addFault({ provider: 'slack', kind: 'rate-limit', status: 200, retryAfter: '1', count: 1 });
    await callSdk(() => slack(connection).chat.postMessage({ channel: 'general', text: 'Hello' }));
    expect(fixture.hits('chat.postMessage')).toBe(2);
  });
});

describe.each(['slack', 'google'] as const)('%s, with a token that has expired', (provider) => {
  const [endpoint, tokenEndpoint, run] =
    provider === 'slack'
      ? (['conversations.list', 'oauth.v2.access', SUBJECTS['Slack reads channels']!.run] as const)
      : (['events.list', 'oauth.token', SUBJECTS['Google lists events']!.run] as const);

  it('renews it once and replays the call once', async () => {
    const connection = await fixture.connect(provider);
    fixture.sandbox.control.expireTokens(provider);
    await callSdk(() => run(connection));
    expect(fixture.hits(endpoint)).toBe(2);
    expect(fixture.hits(tokenEndpoint)).toBe(1);
    expect(await fixture.statusOf(connection)).toBe('connected');
  });
});

it('Google, answering a bare 401 although it has just renewed the token: the connection stays and works again by itself', async () => {
  const connection = await fixture.connect('google');
  const { run } = SUBJECTS['Google lists events']!;
  fixture.sandbox.control.addFault({ provider: 'google', endpoint: 'events.list', kind: 'status', status: 401, body: {} });
  for (let calls = 0; calls < 4; calls++)
    await expect(callSdk(() => run(connection))).rejects.toMatchObject({ code: 'provider_rejected', providerStatus: 401 });
  // The first is tried again with a renewed token; within the next minute no renewal is spent.
  expect(fixture.hits('events.list')).toBe(5);
  expect(fixture.hits('oauth.token')).toBe(1);
  expect(await fixture.statusOf(connection)).toBe('connected');
  fixture.sandbox.control.clearFaults();
  await callSdk(() => run(connection));
});

it('Slack, saying that a renewed token has expired: asks the user to reconnect; two calls, one refresh, no third', async () => {
  const connection = await fixture.connect('slack');
  const { run } = SUBJECTS['Slack reads channels']!;
  const refusal = { status: 200, body: { ok: false, error: 'token_expired' } };
  fixture.sandbox.control.addFault({ provider: 'slack', endpoint: 'conversations.list', kind: 'status', ...refusal });
  const error = await callSdk(() => run(connection)).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(IntegrationError);
  expect(error).toMatchObject({ code: 'needs_reauth', retryable: false });
  expect(await fixture.statusOf(connection)).toBe('needs_reauth');
  await expect(callSdk(() => run(connection))).rejects.toMatchObject({ code: 'needs_reauth' });
  expect(fixture.hits('conversations.list')).toBe(2);
  expect(fixture.hits('oauth.v2.access')).toBe(1);
});

describe('Stripe, with a key that was revoked', () => {
  it('asks the user to reconnect without a refresh', async () => {
    const connection = await fixture.connect('stripe');
    fixture.sandbox.control.addFault({ provider: 'stripe', endpoint: 'customers.create', kind: 'status', status: 401 });
    await expect(callSdk(() => stripe(connection).customers.create({}))).rejects.toMatchObject({ code: 'needs_reauth' });
    expect(fixture.hits('customers.create')).toBe(1);
    expect(await fixture.statusOf(connection)).toBe('needs_reauth');
  });
});

function slack(connection: ConnectionRef, options?: CallOptions) {
  return new WebClient(undefined, {
    slackApiUrl: fixture.providers.slack.apiBaseUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    fetch: fixture.http.fetchFor(connection, options),
    logger: QUIET,
  });
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 'error' as never, setName() {} };

function stripe(connection: ConnectionRef, options?: CallOptions) {
  const { hostname, port } = new URL(fixture.providers.stripe.apiBaseUrl);
  return new Stripe('sk_placeholder', {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(fixture.http.fetchFor(connection, options) as typeof globalThis.fetch),
  });
}

function google(connection: ConnectionRef, options?: CallOptions) {
  return calendar({
    version: 'v3',
    rootUrl: fixture.providers.google.apiBaseUrl,
    retry: false,
    fetchImplementation: fixture.http.fetchFor(connection, options),
  });
}
