import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IntegrationError } from '../../errors';
import type { ConnectionRef } from '../contract';
import type { CallOptions } from './call';
import { RequestLogWriter } from './request-log/request-log-writer';
import { chainFixture, type ChainFixture } from './testing/chain-fixture';

const CAP = 2 * 1024 * 1024;
let fixture: ChainFixture;
beforeAll(async () => {
  fixture = await chainFixture({ http: { maxResponseBytes: CAP } });
});
afterAll(() => fixture.close());
beforeEach(() => fixture.clear());

/** What a busy machine may take on top of a deadline. */
const BUSY_MS = 10_000;
const LIST = 'customers.list';
const customers = (connection: ConnectionRef, options?: CallOptions) =>
  fixture.http.fetchFor(connection, options)(`${fixture.providers.stripe.apiBaseUrl}v1/customers?limit=1`);
const fault = (spec: Parameters<ChainFixture['sandbox']['control']['addFault']>[0]) =>
  fixture.sandbox.control.addFault({ provider: 'stripe', endpoint: LIST, ...spec });
const timesOf = () => fixture.sandbox.control.ledger({ kind: 'request', endpoint: LIST }).map(({ at }) => at);

describe('a storm of 429', () => {
  it.each([
    ['seconds', () => '1', 1_000],
    ['an HTTP date', () => new Date(Date.now() + 2_000).toUTCString(), 900],
    ['nothing', () => null, 950],
  ])('with Retry-After as %s: nobody of the bucket goes before the time', async (_, value, atLeastMs) => {
    const connection = await fixture.connect('stripe', `acct_${Math.random()}`);
    fault({ kind: 'rate-limit', retryAfter: value(), count: 1 });
    await customers(connection).catch(() => undefined);
    // The first call has waited itself; what counts is that the others, told nothing, waited too.
    fixture.clear();
    fault({ kind: 'rate-limit', retryAfter: value(), count: 1 });
    const first = customers(connection);
    while (timesOf().length === 0) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await Promise.all([first, ...Array.from({ length: 20 }, () => customers(connection))]);
    const [refused, ...later] = timesOf();
    expect(later).toHaveLength(21);
    later.forEach((at) => expect(at - refused!).toBeGreaterThanOrEqual(atLeastMs));
  });

  it('with a year: says so at once, capped, and sends nothing more', async () => {
    const connection = await fixture.connect('stripe', 'acct_year');
    fault({ kind: 'rate-limit', retryAfter: '31536000' });
    await expect(customers(connection)).rejects.toMatchObject({
      code: 'provider_rate_limited',
      retryAfterMs: 3_600_000,
      notExecuted: true,
    });
    const again = await customers(connection).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'provider_rate_limited', notExecuted: true });
    expect(timesOf()).toHaveLength(1);
  });

  it.each(['-5', 'garbage', '0'])('with %p: goes on with its own back-off and does not crash', async (retryAfter) => {
    const connection = await fixture.connect('stripe', `acct_odd_${retryAfter}`);
    fault({ kind: 'rate-limit', retryAfter, count: 2 });
    expect((await customers(connection)).status).toBe(200);
    expect(timesOf()).toHaveLength(3);
  });

  it('does not hold up another account', async () => {
    const [limited, free] = [await fixture.connect('stripe', 'acct_limited'), await fixture.connect('stripe', 'acct_free')];
    fault({ kind: 'rate-limit', retryAfter: '3', count: 1 });
    let goneOn = false;
    const waits = customers(limited).then(() => void (goneOn = true));
    while (timesOf().length === 0) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await customers(free);
    expect(goneOn).toBe(false);
    await waits;
  });
});

describe('a provider that fails', () => {
  it('fails for everybody whose calls are held back for it, not only for those whose calls showed it', async () => {
    const own = await chainFixture({ circuit: { minimumTries: 5, openMs: 600_000 } });
    try {
      const call = (connection: ConnectionRef) => own.http.fetchFor(connection)(`${own.providers.stripe.apiBaseUrl}v1/customers?limit=1`);
      const [first, other] = [await own.connect('stripe', 'acct_first'), await own.connect('stripe', 'acct_other')];
      own.sandbox.control.addFault({ provider: 'stripe', endpoint: LIST, kind: 'status', status: 503 });
      const codeOf = (connection: ConnectionRef) => call(connection).catch((error: unknown) => (error as IntegrationError).code);
      for (let tries = 0; (await codeOf(first)) !== 'circuit_open'; tries++) expect(tries).toBeLessThan(20);
      own.sandbox.control.clearLedger();
      for (let n = 0; n < 12; n++) expect(await codeOf(other)).toBe('circuit_open');
      expect(own.hits(LIST)).toBe(0);
      await own.module.get(RequestLogWriter, { strict: false }).flush();
      const [counted] = await own.dataSource.query<{ errors: number }[]>(
        'SELECT sum(server_errors)::int AS errors FROM request_buckets WHERE connection_id = $1',
        [other.id],
      );
      expect(counted).toEqual({ errors: 12 });
    } finally {
      await own.close();
    }
  });
});

describe('a provider that is slow', () => {
  it.each(['slow-headers', 'slow-body', 'hang', 'hang-after'] as const)('with %s ends at the deadline', async (kind) => {
    const connection = await fixture.connect('stripe', `acct_${kind}`);
    fault({ kind, byteIntervalMs: 100 });
    const startedAt = performance.now();
    await expect(customers(connection, { deadlineMs: 400 })).rejects.toMatchObject({ code: 'provider_timeout', notExecuted: false });
    expect(performance.now() - startedAt).toBeLessThan(BUSY_MS); // the sandbox would go on for minutes
    expect(timesOf()).toHaveLength(1);
  });

  it('ends a body that is handed through at the deadline too', async () => {
    const connection = await fixture.connect('stripe', 'acct_stream');
    fault({ kind: 'slow-body', byteIntervalMs: 50 });
    const startedAt = performance.now();
    await expect(customers(connection, { deadlineMs: 400, stream: true }).then((response) => response.text())).rejects.toBeDefined();
    expect(performance.now() - startedAt).toBeLessThan(BUSY_MS); // the sandbox would go on for minutes
  });

  it('costs another provider nothing while it hangs', async () => {
    const [stripe, google] = [await fixture.connect('stripe', 'acct_hang'), await fixture.connect('google')];
    fault({ kind: 'hang' });
    const hanging = Array.from({ length: 100 }, () => customers(stripe, { deadlineMs: 4_000 }).catch((error: unknown) => error));
    while (timesOf().length < 64) await new Promise((resolve) => setTimeout(resolve, 10));
    let ended = 0;
    for (const call of hanging) void call.then((error) => (ended += (error as IntegrationError).code === 'provider_timeout' ? 1 : 0));
    for (let n = 0; n < 10; n++) await fixture.http.fetchFor(google)(`${fixture.providers.google.apiBaseUrl}v1/userinfo`);
    expect(ended).toBe(0);
    // No more sockets than places, whatever waits.
    expect(timesOf()).toHaveLength(64);
    const codes = (await Promise.all(hanging)).map((error) => (error as IntegrationError).code);
    expect(codes.filter((code) => code !== 'provider_timeout' && code !== 'busy')).toEqual([]);
  });

  it('gives up at once when the caller does', async () => {
    const connection = await fixture.connect('stripe', 'acct_cancel');
    fault({ kind: 'hang' });
    const stop = new AbortController();
    const call = customers(connection, { signal: stop.signal });
    // Of this account: what others began before may still arrive.
    const own = { kind: 'request', endpoint: LIST, account: 'acct_cancel' } as const;
    while (fixture.sandbox.control.ledger(own).length === 0) await new Promise(setImmediate);
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled', notExecuted: false });
  });
});

describe('an answer that is not what it says', () => {
  it.each([
    ['gzip-bomb', 'response_too_large'],
    ['big-body', 'response_too_large'],
    ['truncated-json', 'provider_bad_answer'],
    ['html-200', 'provider_bad_answer'],
    ['wrong-content-type', 'provider_bad_answer'],
    ['cut-body', 'provider_unavailable'],
  ] as const)('%s is %s, and memory stays flat', async (kind, code) => {
    const connection = await fixture.connect('stripe', `acct_bad_${kind}`);
    fault({ kind, megabytes: 60 });
    const before = process.memoryUsage();
    await expect(customers(connection)).rejects.toMatchObject({ code });
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(30 * 1024 * 1024);
  });

  it('is read where the caller asked for something other than JSON', async () => {
    const connection = await fixture.connect('stripe', 'acct_csv');
    fault({ kind: 'wrong-content-type' });
    const response = await fixture.http.fetchFor(connection)(`${fixture.providers.stripe.apiBaseUrl}v1/customers`, {
      headers: { accept: 'text/csv' },
    });
    expect(response.headers.get('content-type')).toBe('text/plain');
  });
});

describe('a provider that cannot be reached', () => {
  it('certainly did nothing, so that even a message may be sent again', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const away = await chainFixture({ apiBaseUrls: { slack: `http://127.0.0.1:${port}/api/` } });
    try {
      const connection = await away.connect('slack');
      const error = await away.http
        .fetchFor(connection)(`http://127.0.0.1:${port}/api/chat.postMessage`, { method: 'POST', body: 'a=1' })
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'provider_unavailable', notExecuted: true, retryable: true });
    } finally {
      await away.close();
    }
  });

  it('never sees a request to an origin that is not its own', async () => {
    const connection = await fixture.connect('stripe', 'acct_origin');
    for (const url of [fixture.providers.google.apiBaseUrl, 'https://evil.example/', 'http://169.254.169.254/']) {
      await expect(fixture.http.fetchFor(connection)(url)).rejects.toMatchObject({ code: 'destination_refused', notExecuted: true });
    }
  });
});
