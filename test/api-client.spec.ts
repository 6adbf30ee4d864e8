import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signStandardWebhook } from '../src/integrations';
import { type Change, TrestleClient, TrestleError, verifyWebhook } from '../packages/client/src/index.ts';
import { acts } from '../packages/client/src/send.ts';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const DESCRIPTION = JSON.parse(readFileSync(join(__dirname, '../docs/openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; parameters?: { name: string; in: string }[] }>>;
};

/** The types come of the description: what it does not say does not compile here. */
describe('the client', () => {
  let app: TestApp;
  let user: TrestleClient;
  let admin: TrestleClient;
  let operator: TrestleClient;
  let browser: Browser;
  let connection: string;
  let runId = '';
  let recordId = '';
  let thread = { channel: '', threadTs: '' };

  beforeAll(async () => {
    app = await startTestApp();
    const token = await app.tokenFor({ tenant: 'acme', user: 'ada' });
    const clientOf = (bearer: string) => new TrestleClient({ baseUrl: app.url, token: bearer });
    user = clientOf(token);
    admin = clientOf(await app.tokenFor({ tenant: 'acme', user: 'root', role: 'admin' }));
    operator = clientOf(await app.tokenFor({ tenant: 'acme', user: 'root', role: 'operator' }));
    browser = new Browser(app, token);
  });
  afterAll(() => app.close());

  it('connects, acts, syncs and reads the feed', async () => {
    const landed = await browser.connect('slack');
    connection = landed.searchParams.get('connection') ?? '';
    const path = { id: connection };
    const one = await user.get('/v1/connections/{id}', { params: { path } });
    expect(one).toMatchObject({ provider: 'slack', status: 'connected' });

    const sent = await user.post('/v1/connections/{id}/slack/messages', { params: { path }, body: { channel: 'general', text: 'Hello' } });
    thread = { channel: sent.channel, threadTs: sent.ts };
    expect(sent.ts).toEqual(expect.any(String));
    const run = await user.post('/v1/connections/{id}/syncs', { params: { path }, body: { type: 'full' } });
    runId = run.id;
    await browser.synced(connection, ({ id }) => id === runId);
    const all = await changesOf(user, connection, {});
    expect(all.length).toBeGreaterThan(4);
    recordId = all[0]?.id ?? '';
    // From wherever one stops, the rest comes, and at most one page again.
    for (const stopped of [1, 2, 3]) {
      const rest = await changesOf(user, connection, { cursor: all[stopped]?.cursor });
      const ids = (list: { id: string }[]) => list.map(({ id }) => id);
      expect(ids(rest)).toEqual(expect.arrayContaining(ids(all.slice(stopped + 1))));
      expect(rest.length).toBeLessThanOrEqual(all.length - stopped + 1);
    }
    expect(await changesOf(user, connection, { cursor: all.at(-1)?.cursor })).toEqual([]);
  });

  it('throws what the service says of a failure', async () => {
    const body = { channel: 'general' };
    const refused = await failureOf(user.post('/v1/connections/{id}/slack/messages', { params: { path: { id: connection } }, body }));
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request', retryable: false, requestId: expect.any(String) });
    expect([refused.detail, refused.nextStep].map((sentence) => sentence.endsWith('.'))).toEqual([true, true]);
    const stranger = new TrestleClient({ baseUrl: app.url, token: () => Promise.resolve('none') });
    expect(await failureOf(stranger.get('/v1/connections'))).toMatchObject({ status: 401, code: 'unauthorized' });
    const nobody = new TrestleClient({ baseUrl: 'http://127.0.0.1:9', token: 'none', maxTries: 2 });
    expect(await failureOf(nobody.get('/v1/connections'))).toMatchObject({ status: 0, code: 'network_failed', retryable: true });
  });

  it('acts once where the answer was lost on the way, and asks again with the same key', async () => {
    app.sandbox.control.clearLedger();
    const keys: (string | null)[] = [];
    const flaky = async (request: Request): Promise<Response> => {
      keys.push(request.headers.get('idempotency-key'));
      const answer = await fetch(request);
      if (keys.length > 1) return answer;
      await answer.arrayBuffer();
      throw new TypeError('the connection broke');
    };
    const client = new TrestleClient({
      baseUrl: app.url,
      token: () => app.tokenFor({ tenant: 'acme', user: 'ada' }),
      fetch: flaky as typeof fetch,
    });
    const body = { channel: 'general', text: 'Once' };
    const sent = await client.post('/v1/connections/{id}/slack/messages', { params: { path: { id: connection } }, body });
    expect(sent.ts).toEqual(expect.any(String));
    expect([keys.length, new Set(keys).size, keys[0]]).toEqual([2, 1, expect.stringMatching(/^[\w-]{36}$/)]);
    expect(app.sandbox.control.ledger({ kind: 'request', endpoint: 'chat.postMessage' })).toHaveLength(1);
  });

  it('makes keys for the calls that take one, and for no others', () => {
    const takes = Object.entries(DESCRIPTION.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { parameters = [] }]) => parameters.some(({ name, in: place }) => place === 'header' && name === 'idempotency-key'))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    const acting = Object.entries(DESCRIPTION.paths).flatMap(([path, item]) =>
      Object.keys(item)
        .map((method) => ({ method: method.toUpperCase(), url: `http://trestle${path}` }))
        .filter((request) => acts(request))
        .map(({ method }) => `${method} ${path}`),
    );
    expect(takes.length).toBeGreaterThan(4);
    expect(acting.sort()).toEqual(takes.sort());
  });

  it('hears of a sync and of its changes as they happen, and stops when it is told to', async () => {
    const stop = new AbortController();
    const heard = new Set<string>();
    const listening = (async () => {
      for await (const { type } of user.events(connection, { signal: stop.signal })) {
        heard.add(type);
        if (heard.has('sync')) stop.abort();
      }
    })();
    await user.post('/v1/connections/{id}/syncs', { params: { path: { id: connection } }, body: { type: 'full' } });
    await listening;
    expect([...heard]).toContain('sync');
    const absent = user.events('0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6');
    expect(await failureOf(absent.next())).toMatchObject({ code: 'connection_not_found' });
  });

  it('ends its stream with the connection', async () => {
    const id = (await browser.connect('stripe')).searchParams.get('connection') ?? '';
    const heard: unknown[] = [];
    let disconnecting: Promise<unknown> | undefined;
    for await (const event of user.events(id, { maxFailures: 2 })) {
      heard.push(event);
      disconnecting ??= user.delete('/v1/connections/{id}', { params: { path: { id } } });
    }
    expect(heard.length).toBeGreaterThan(0);
    expect(await disconnecting).toMatchObject({ revoked: expect.any(Boolean) });
  });

  it('believes a webhook that the service signed, and no other', async () => {
    const secret = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;
    const body = JSON.stringify({ type: 'connection.connected', timestamp: new Date().toISOString(), data: { provider: 'slack' } });
    const headers = signStandardWebhook({ id: 'msg_1', body, secret, timestampMs: Date.now() });
    const other = `whsec_${Buffer.from('another one').toString('base64')}`;
    expect(await verifyWebhook(body, headers, [other, secret])).toMatchObject({ id: 'msg_1', type: 'connection.connected' });
    expect(await verifyWebhook(Buffer.from(body), new Headers(headers), secret)).toMatchObject({ data: { provider: 'slack' } });
    const old = signStandardWebhook({ id: 'msg_1', body, secret, timestampMs: Date.now() - 600_000 });
    for (const [code, verified] of [
      ['wrong_signature', () => verifyWebhook(body, headers, other)],
      ['wrong_signature', () => verifyWebhook(`${body} `, headers, secret)],
      ['wrong_signature', () => verifyWebhook(body, { ...headers, 'webhook-id': 'msg_2' }, secret)],
      ['too_old_or_early', () => verifyWebhook(body, old, secret)],
      ['missing_header', () => verifyWebhook(body, {}, secret)],
      ['malformed_header', () => verifyWebhook(body, { ...headers, 'webhook-signature': 'v1,%' }, secret)],
      ['no_secret', () => verifyWebhook(body, headers, [])],
    ] as const)
      await expect(verified()).rejects.toMatchObject({ name: 'WebhookVerificationError', code });
  });

  it('reads every route, and each answers with a status that is described', async () => {
    await app.sandbox.control.deliver({ provider: 'slack', type: 'message' });
    const url = 'https://product.example/hooks';
    const made = await admin.post('/v1/admin/destinations', { body: { name: 'product', url, events: ['connection.connected'] } });
    const events = await admin.get('/v1/admin/webhook-events', { params: { query: { limit: 1 } } });
    const replay = await admin.post('/v1/admin/replays', { body: { filter: { provider: 'slack' } } });
    const google = (await browser.connect('google')).searchParams.get('connection') ?? '';
    const ids: Record<string, string | undefined> = {
      '/v1/admin/destinations/': made.id,
      '/v1/admin/webhook-events/': events.data[0]?.id,
      '/v1/admin/replays/': replay.id,
      '/v1/connections/{id}/google/': google,
      '/v1/connections/': connection,
    };
    const values = { provider: 'slack', resource: 'channels', recordId, runId, calendarId: 'primary', sub: 'ada', tenant: 'acme' };
    const reads = Object.entries(DESCRIPTION.paths).flatMap(([path, { get }]) => (get ? [{ path, responses: get.responses }] : []));
    const queries: Record<string, object> = { '/v1/connections/{id}/slack/replies': thread };
    expect(reads.length).toBeGreaterThan(25);
    for (const { path, responses } of reads) {
      const [, id = ''] = Object.entries(ids).find(([prefix]) => path.startsWith(prefix)) ?? [];
      const ofOperators =
        ['/metrics', '/v1/admin/keys', '/v1/admin/providers/{provider}/setup'].includes(path) || path.startsWith('/v1/admin/tenants/');
      const client = ofOperators ? operator : path.startsWith('/v1/admin/') ? admin : user;
      // The list is the description's own, so its paths are known at run time only.
      const get = client.raw.GET as unknown as (path: string, init: object) => Promise<{ response: Response }>;
      const { response } = await get(path, { params: { path: { ...values, id }, query: queries[path] }, parseAs: 'stream' });
      if (!response.bodyUsed) await response.body?.cancel();
      expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining([String(response.status)])]);
      // Nothing was delivered yet, no client of one's own and no address of one's own was set, and a webhook's address answers a GET only where a provider asks with one.
      const absent = [
        '/v1/admin/deliveries/{id}',
        '/v1/admin/providers/{provider}/client',
        '/webhooks/{provider}',
        '/webhooks/{provider}/{address}',
        '/v1/connections/{id}/webhook-address',
      ].includes(path);
      expect([path, response.status]).toEqual([path, absent ? 404 : 200]);
    }
  });
});

async function changesOf(client: TrestleClient, connection: string, { cursor }: { cursor?: string }): Promise<Change[]> {
  const found: Change[] = [];
  for await (const change of client.records(connection, 'channels', { cursor, limit: 2 })) found.push(change);
  return found;
}

async function failureOf(call: Promise<unknown>): Promise<TrestleError> {
  const outcome = await call.catch((error: unknown) => error);
  if (outcome instanceof TrestleError) return outcome;
  throw new Error('It did not fail as a TrestleError.', { cause: outcome });
}
