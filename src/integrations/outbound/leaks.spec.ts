import { inspect } from 'node:util';
import Stripe from 'stripe';
import { metricsRegistry } from '../../metrics';
import { TokenRepository } from '../connections/tokens/token.repository';
import type { ConnectionRef } from '../contract';
import { callSdk } from './call-sdk';
import { RequestLogWriter } from './request-log/request-log-writer';
import { chainFixture, type ChainFixture } from './testing/chain-fixture';

const CANARY = 'canary-7f3a9';
let fixture: ChainFixture;
let connection: ConnectionRef;
let token: string;
beforeAll(async () => {
  fixture = await chainFixture({ http: { maxResponseBytes: 1024 * 1024 } });
  connection = await fixture.connect('stripe');
  token = (await fixture.module.get(TokenRepository).load(connection.id))!.accessToken;
});
afterAll(() => fixture.close());
afterEach(() => fixture.clear());

const KINDS = [
  { kind: 'status', status: 400, body: { error: { message: `${CANARY}-answer`, type: 'invalid_request_error' } } },
  { kind: 'status', status: 500, body: `<html>${CANARY}-answer</html>` },
  { kind: 'no-error-json', body: { secret: `${CANARY}-answer` } },
  { kind: 'rate-limit', retryAfter: '31536000' },
  { kind: 'truncated-json' },
  { kind: 'html-200' },
  { kind: 'wrong-content-type' },
  { kind: 'reset' },
  { kind: 'cut-body' },
  { kind: 'hang' },
  { kind: 'gzip-bomb', megabytes: 60 },
  { kind: 'status', status: 401, body: { error: { message: `${CANARY}-answer` } } },
] as const;

it('nothing of a token, a key, a query, a header or a body is in any error, row or metric', async () => {
  const errors: unknown[] = [];
  for (const kind of KINDS) {
    fixture.clear();
    fixture.sandbox.control.addFault({ provider: 'stripe', ...kind });
    const fetch = fixture.http.fetchFor(connection, { deadlineMs: 1_500, idempotencyKey: `${CANARY}-key`, operation: 'leak.test' });
    const url = `${fixture.providers.stripe.apiBaseUrl}v1/customers/${CANARY}@path?email=${CANARY}-query`;
    const init = {
      method: 'POST',
      body: `name=${CANARY}-body`,
      headers: { 'x-secret': `${CANARY}-header`, 'content-type': 'application/x-www-form-urlencoded' },
    };
    errors.push(await fetch(url, init).catch((error: unknown) => error));
    fixture.sandbox.control.clearFaults();
    fixture.sandbox.control.addFault({ provider: 'stripe', ...kind });
    errors.push(await callSdk(() => sdk(fetch).customers.create({ name: `${CANARY}-body` })).catch((error: unknown) => error));
  }
  expect(errors.filter((error) => !(error instanceof Error))).toEqual([]);

  await fixture.module.get(RequestLogWriter).flush();
  const rows = (await fixture.dataSource.query('SELECT * FROM request_log')) as { endpoint: string }[];
  const buckets = (await fixture.dataSource.query('SELECT * FROM request_buckets')) as unknown[];
  expect(rows.length).toBeGreaterThanOrEqual(KINDS.length);
  expect(buckets.length).toBeGreaterThan(0);
  expect(rows.map(({ endpoint }) => endpoint)).toContain('/v1/customers/:id');

  const everything = {
    errors: errors.map((error) => inspect(error, { depth: 10, showHidden: true })).join('\n'),
    json: errors
      .map((error) => JSON.stringify({ ...(error as object), message: (error as Error).message, stack: (error as Error).stack }))
      .join('\n'),
    rows: JSON.stringify(rows),
    buckets: JSON.stringify(buckets),
    metrics: await metricsRegistry.metrics(),
  };
  for (const [where, text] of Object.entries(everything)) {
    expect({ where, leak: [CANARY, token, 'sk_placeholder'].filter((secret) => text.includes(secret)) }).toEqual({ where, leak: [] });
  }
});

it('counts what was sent in the log and in the minute sums, by what became of it', async () => {
  const other = await fixture.connect('stripe', 'acct_counts');
  const fetch = fixture.http.fetchFor(other, { operation: 'count.test' });
  const url = `${fixture.providers.stripe.apiBaseUrl}v1/customers`;
  await fetch(url);
  fixture.sandbox.control.addFault({ provider: 'stripe', kind: 'status', status: 500, count: 2 });
  await fetch(url);
  fixture.sandbox.control.addFault({ provider: 'stripe', kind: 'status', status: 404, count: 1 });
  await fetch(url).catch(() => undefined);
  await fixture.module.get(RequestLogWriter).flush();
  const rows = (await fixture.dataSource.query(
    'SELECT outcome, attempt, status, method, endpoint, operation, request_id FROM request_log WHERE connection_id = $1 ORDER BY id',
    [other.id],
  )) as Record<string, unknown>[];
  expect(rows.map(({ outcome, attempt, status }) => [outcome, attempt, status])).toEqual([
    ['ok', 1, 200],
    ['server_error', 1, 500],
    ['server_error', 2, 500],
    ['ok', 3, 200],
    ['rejected', 1, 404],
  ]);
  expect(rows[0]).toMatchObject({
    method: 'GET',
    endpoint: '/v1/customers',
    operation: 'count.test',
    request_id: expect.stringMatching(/^req_/) as string,
  });
  const [sums] = (await fixture.dataSource.query(
    'SELECT sum(ok)::int AS ok, sum(failed)::int AS failed, sum(server_errors)::int AS server_errors FROM request_buckets WHERE connection_id = $1',
    [other.id],
  )) as unknown[];
  expect(sums).toEqual({ ok: 3, failed: 2, server_errors: 2 });
});

function sdk(fetch: typeof globalThis.fetch) {
  const { hostname, port } = new URL(fixture.providers.stripe.apiBaseUrl);
  return new Stripe('sk_placeholder', {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(fetch),
  });
}
