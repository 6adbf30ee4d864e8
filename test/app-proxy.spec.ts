import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import type { PlainProvider } from '../src/integrations';
import { assertAllowedThroughProxy } from '../src/integrations/operations/proxy/proxy-policy';
import type { Call } from '../src/integrations/outbound/call';
import { bucketsOf } from '../src/integrations/outbound/policies/limits/buckets';
import { plainProvider } from '../src/integrations/providers/plain/plain-engine';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

/** By tokens of the app, by its id and secret, and where people fill in clients of their own. The operator's at three of them is not the sandbox's. */
const CHOSEN = PLAIN_PROVIDERS.filter(({ key }) => ['twitch', 'spotify', 'dropbox', 'github', 'paypal', 'linear'].includes(key));
const OPERATORS = {
  ...{ TWITCH_CLIENT_ID: 'the-operators', TWITCH_CLIENT_SECRET: 'the-operators-secret' },
  ...{ DROPBOX_CLIENT_ID: 'the-operators', DROPBOX_CLIENT_SECRET: 'the-operators-secret' },
  ...{ GITHUB_CLIENT_ID: 'the-operators', GITHUB_CLIENT_SECRET: 'the-operators-secret' },
};

interface Answer {
  code?: string;
  detail?: string;
  nextStep?: string;
}
interface Listed<Row> {
  data: Row[];
}
interface Entry {
  tenant: string;
  actor: { tenant: string; userId: string; role: string };
  action: string;
  target: string;
  outcome: string;
}
interface Logged {
  tenant: string | null;
  connectionId: string | null;
  operation: string;
  method: string;
  endpoint: string;
  status: number | null;
  errorCode: string | null;
}

describe('a provider called as the app itself', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let admin: Browser;
  let stranger: Browser;
  let operator: Browser;
  const seen: string[] = [];

  const browser = async (tenant: string, role: 'user' | 'support' | 'admin' | 'operator', user: string = role) =>
    new Browser(app, await app.tokenFor({ tenant, user, role }), seen);
  beforeAll(async () => {
    sandbox = await PlainSandbox.start(CHOSEN);
    app = await startTestApp({ settings: { ...sandbox.env(), ...OPERATORS, REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    [admin, stranger, operator] = await Promise.all([browser('acme', 'admin'), browser('umbrella', 'admin'), browser('us', 'operator')]);
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const own = (key: string) => ({ clientId: sandbox.world(key).clientId, clientSecret: sandbox.world(key).clientSecret });
  const set = async (key: string, client: object = own(key), by = admin) => {
    expect(await by.api('PUT', `/v1/admin/providers/${key}/client`, client)).toMatchObject({ status: 200 });
  };
  const end = (key: string, by = admin) => by.api('DELETE', `/v1/admin/providers/${key}/client`);
  const call = (by: Browser, method: string, key: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    by.api<Answer>(method, `/v1/admin/providers/${key}/app/proxy/${path}`, body, { headers });
  const sent = (key: string) => sandbox.requests.filter((each) => each.provider === key && each.what === 'api');
  const minted = (key: string) => sandbox.requests.filter((each) => each.provider === key && each.what === 'token');
  const acts = async (by = admin) => (await by.api<Listed<Entry>>('GET', '/v1/admin/audit?action=app.call&limit=100')).body.data;
  const logged = (by: Browser, provider: string, wanted: (row: Logged) => boolean) =>
    by.eventually(async () => {
      const { body } = await by.api<Listed<Logged>>('GET', `/v1/admin/requests?provider=${provider}&operation=app-proxy`);
      return body.data.find(wanted);
    });
  const rows = <Row extends object>(sql: string) => app.app.get(DataSource).query<Row[]>(sql);

  it("goes out with the organization's own client, by a token that is minted once and kept", async () => {
    await set('twitch');
    const [first, second] = [await call(admin, 'GET', 'twitch', 'streams'), await call(admin, 'GET', 'twitch', 'streams')];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(minted('twitch').map(({ grantType, status }) => [grantType, status])).toEqual([['client_credentials', 200]]);
    sandbox.expireTokens('twitch');
    expect((await call(admin, 'GET', 'twitch', 'streams')).status).toBe(200);
    expect(minted('twitch')).toHaveLength(2);
    await end('twitch');
  });

  it("goes out with the operator's for an operator, and never for an organization", async () => {
    const before = sent('spotify').length;
    expect((await call(operator, 'GET', 'spotify', 'search?q=x')).status).toBe(200);
    expect(sent('spotify').length).toBe(before + 1);
    const refused = await call(admin, 'GET', 'spotify', 'search?q=x');
    expect(refused).toMatchObject({ status: 409, body: { code: 'provider_not_configured' } });
    expect(refused.body.detail).toBe("The organization has no client of its own at Spotify, and the operator's is not used for it.");
    expect(refused.body.nextStep).toContain('PUT /v1/admin/providers/spotify/client');
    // An operator's is not the one of an organization either.
    await set('twitch');
    expect(await call(operator, 'GET', 'twitch', 'streams')).toMatchObject({ status: 502, body: { code: 'provider_misconfigured' } });
    expect(await call(stranger, 'GET', 'twitch', 'streams')).toMatchObject({ status: 409, body: { code: 'provider_not_configured' } });
    await end('twitch');
    expect(await call(admin, 'GET', 'twitch', 'streams')).toMatchObject({ status: 409, body: { code: 'provider_not_configured' } });
    expect(sent('spotify').length).toBe(before + 1);
  });

  it.each([
    ['dropbox', 'POST', 'check/app', 502],
    // Every call of its API has a header that the sandbox asks for.
    ['github', 'GET', 'repos/acme/things', 502],
    ['paypal', 'GET', 'v1/notifications/webhooks', 200],
  ])('shows what %s knows an app by', async (key, method, path, operators) => {
    await set(key, key === 'paypal' ? { clientId: 'your-client-id', clientSecret: 'your-client-secret' } : undefined);
    const body = method === 'POST' ? { query: 'x' } : undefined;
    expect((await call(admin, method, key, path, body)).status).toBe(200);
    expect(sent(key).at(-1)?.text).toBe(method === 'POST' ? '{"query":"x"}' : '');
    expect((await call(operator, method, key, path, body)).status).toBe(operators);
    // With a wrong secret it is the organization that is told, and the operator's is not tried in its place.
    const count = sent(key).filter(({ status }) => status === 200).length;
    await set(key, { clientId: 'another', clientSecret: 'wrong' });
    expect(await call(admin, method, key, path, body)).toMatchObject({ status: 422, body: { code: 'credentials_rejected' } });
    expect(sent(key).filter(({ status }) => status === 200)).toHaveLength(count);
    await end(key);
  });

  it('says what cannot be called, and by whom', async () => {
    expect(await call(admin, 'GET', 'linear', 'user')).toMatchObject({ status: 422, body: { code: 'not_supported' } });
    expect(await call(operator, 'GET', 'slack', 'api.test')).toMatchObject({ status: 422, body: { code: 'not_supported' } });
    expect(await call(operator, 'GET', 'nobody', 'x')).toMatchObject({ status: 404, body: { code: 'provider_unknown' } });
    for (const role of ['user', 'support'] as const)
      for (const method of ['GET', 'POST', 'DELETE'])
        expect([role, method, (await call(await browser('acme', role), method, 'spotify', 'search')).status]).toEqual([role, method, 403]);
    const bare = await fetch(`${app.url}/v1/admin/providers/spotify/app/proxy/search`);
    expect(bare.status).toBe(401);
  });

  it('stays at the provider, and hands the body on as it came', async () => {
    await set('dropbox');
    for (const path of ['x@evil.example', '%2fevil.example', '//evil.example'])
      expect([path, (await call(admin, 'GET', 'dropbox', path)).body.code]).toEqual([path, 'destination_refused']);
    const before = sent('dropbox').length;
    const answer = await fetch(`${app.url}/v1/admin/providers/dropbox/app/proxy/check/app`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await app.tokenFor({ tenant: 'acme', user: 'admin', role: 'admin' })}`,
        'content-type': 'application/octet-stream',
      },
      body: 'not JSON'.repeat(100),
    });
    expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining('sandbox')]);
    expect(
      sent('dropbox')
        .slice(before)
        .map(({ text }) => text),
    ).toEqual(['not JSON'.repeat(100)]);
    await end('dropbox');
  });

  it('one Idempotency-Key is one call, and belongs to one app', async () => {
    await set('twitch');
    await set('twitch', undefined, stranger);
    const headers = { 'idempotency-key': randomUUID() };
    const subscribe = (by = admin, type = 'stream.online') => call(by, 'POST', 'twitch', 'eventsub/subscriptions', { type }, headers);
    const before = sent('twitch').length;
    const first = await subscribe();
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([200, null]);
    const again = await subscribe();
    expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([200, 'true', first.body]);
    expect((await subscribe(admin, 'stream.offline')).body.code).toBe('idempotency_key_reused');
    expect(sent('twitch').length).toBe(before + 1);
    // Another organization's is another's, whatever its key is.
    expect((await subscribe(stranger)).headers.get('idempotent-replayed')).toBeNull();
    expect(sent('twitch').length).toBe(before + 2);
    await set('twitch', { clientId: 'another', clientSecret: 'x' });
    expect((await subscribe()).body.code).toBe('idempotency_key_reused');
    await end('twitch');
    await end('twitch', stranger);
  });

  it('a key is free again when the secret is mended, and is kept where the outcome is not known', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const subscribe = () => call(admin, 'POST', 'twitch', 'eventsub/subscriptions', { type: 'x' }, headers);
    await set('twitch', { ...own('twitch'), clientSecret: 'mistyped' });
    expect((await subscribe()).body.code).toBe('credentials_rejected');
    await set('twitch');
    expect((await subscribe()).status).toBe(200);
    sandbox.answerNext('twitch', { status: 500 });
    headers['idempotency-key'] = randomUUID();
    const before = sent('twitch').length;
    expect((await subscribe()).body.code).toBe('outcome_unknown');
    expect((await subscribe()).body.code).toBe('outcome_unknown');
    expect(sent('twitch').length).toBe(before + 1);
    await end('twitch');
  });

  it('says that the app may not, where a new token is refused too', async () => {
    await set('twitch');
    sandbox.answerAll('twitch', { status: 401, body: { message: 'Missing User OAUTH Token' } });
    const refused = await call(admin, 'GET', 'twitch', 'users');
    sandbox.answerAll('twitch');
    expect(refused).toMatchObject({ status: 403, body: { code: 'provider_forbidden' } });
    expect(refused.body.detail).toContain('by the app itself');
    await end('twitch');
  });

  it("one app's pause is no other's", async () => {
    await set('spotify', { clientId: 'another', clientSecret: 'wrong' });
    sandbox.answerNext('spotify', { status: 429, headers: { 'retry-after': '120' } });
    const paused = await call(operator, 'GET', 'spotify', 'search?q=x');
    expect(paused.status).toBe(429);
    const count = sent('spotify').length;
    expect((await call(operator, 'GET', 'spotify', 'search?q=x')).status).toBe(429);
    expect(sent('spotify').length).toBe(count);
    // Not held back: it gets as far as its own secret.
    expect((await call(admin, 'GET', 'spotify', 'search?q=x')).body.code).toBe('credentials_rejected');
    await end('spotify');
  });

  it('stands in the audit, a read and a refusal too, by the endpoint and not by the address', async () => {
    await set('twitch');
    await call(admin, 'GET', 'twitch', 'users/4711?login=ada%40acme.test');
    await call(admin, 'POST', 'twitch', 'eventsub/subscriptions', { type: 'not to be found here' });
    await call(admin, 'GET', 'twitch', 'x@evil.example');
    await call(operator, 'GET', 'twitch', 'streams');
    await call(admin, 'GET', 'spotify', 'search?q=x');
    const mine = await acts();
    expect(mine.slice(0, 4).map(({ target, outcome }) => [target, outcome])).toEqual([
      ['app:spotify GET /spotify/api/search', 'provider_not_configured'],
      ['app:twitch GET', 'destination_refused'],
      ['app:twitch POST /twitch/api/eventsub/subscriptions', 'ok'],
      ['app:twitch GET /twitch/api/users/:id', 'ok'],
    ]);
    expect(mine[0]).toMatchObject({ tenant: 'acme', actor: { tenant: 'acme', userId: 'admin', role: 'admin' } });
    expect(mine.every(({ tenant }) => tenant === 'acme')).toBe(true);
    for (const word of ['ada%40', 'ada@', 'not to be found', '4711']) expect(JSON.stringify(mine)).not.toContain(word);
    const all = await acts(operator);
    expect(all.find(({ actor }) => actor.role === 'operator')).toMatchObject({
      tenant: '',
      actor: { tenant: 'us', userId: 'operator' },
      target: 'app:twitch GET /twitch/api/streams',
      outcome: 'provider_misconfigured',
    });
    expect((await acts(stranger)).every(({ tenant }) => tenant === 'umbrella')).toBe(true);
    await end('twitch');
  });

  it("stands in the request log without a connection, an organization's own for it alone", async () => {
    await set('twitch');
    await call(admin, 'GET', 'twitch', 'games/top');
    await call(operator, 'GET', 'spotify', 'browse/new-releases');
    const isIt = (row: Logged) => row.endpoint.endsWith('/games/top');
    expect(await logged(admin, 'twitch', isIt)).toMatchObject({ tenant: 'acme', connectionId: null, method: 'GET', status: 200 });
    const { body } = await stranger.api<Listed<Logged>>('GET', '/v1/admin/requests?provider=twitch&operation=app-proxy');
    expect(body.data.filter(isIt)).toEqual([]);
    const theirs = (row: Logged) => row.endpoint.endsWith('/browse/new-releases');
    expect(await logged(operator, 'spotify', theirs)).toMatchObject({ tenant: null, connectionId: null });
    const hidden = await admin.api<Listed<Logged>>('GET', '/v1/admin/requests?provider=spotify&operation=app-proxy');
    expect(hidden.body.data.filter(theirs)).toEqual([]);
    await end('twitch');
  });

  it('is not slowed down by who claims to be the same app', async () => {
    await set('dropbox');
    await set('dropbox', own('dropbox'), stranger);
    sandbox.answerNext('dropbox', { status: 429, headers: { 'retry-after': '600' }, body: {} });
    expect((await call(stranger, 'POST', 'dropbox', 'check/app', { query: 'x' })).status).toBe(429);
    expect((await call(admin, 'POST', 'dropbox', 'check/app', { query: 'x' })).status).toBe(200);
    await Promise.all([end('dropbox'), end('dropbox', stranger)]);
  });

  it("an organization's mistyped secret is not told as the operator's fault", async () => {
    const faults = () =>
      rows<{ n: string }>(`SELECT count(*) AS n FROM request_log WHERE provider = 'dropbox' AND error_code = 'provider_misconfigured'`);
    await set('dropbox', { clientId: 'another', clientSecret: 'mistyped' });
    await call(admin, 'POST', 'dropbox', 'check/app', { query: 'x' });
    await logged(admin, 'dropbox', ({ status }) => status === 401);
    expect((await faults())[0]?.n).toBe('0');
    await end('dropbox');
  });

  it('shows no secret and no token anywhere', async () => {
    const secrets = CHOSEN.flatMap(({ key }) => [own(key).clientSecret, ...sandbox.world(key).grants.map(({ access }) => access)]);
    const stored = await rows<{ text: string }>(
      'SELECT a::text AS text FROM actions a UNION ALL SELECT l::text FROM request_log l UNION ALL SELECT e::text FROM audit_entries e',
    );
    for (const text of [...seen, ...stored.map((row) => row.text)]) for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

it('no app looks up, renews or ends the tokens of people who consented to it', () => {
  const github = PLAIN_PROVIDERS.find(({ key }) => key === 'github') as PlainProvider;
  const { http } = plainProvider(github, { webhookSecrets: [] }, () => '');
  for (const path of ['token', 'token/scoped', 'grant'])
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
      const target = new URL(`https://api.github.com/applications/abc/${path}`);
      expect(() => assertAllowedThroughProxy({ method, target, headers: new Headers() }, http, 'any', 'app')).toThrow(
        expect.objectContaining({ code: 'proxy_not_allowed' }) as Error,
      );
    }
});

it.each([
  ['an account of its own', 'app:a', { connection: undefined, app: { clientId: 'a' } }],
  ['one for each organization that says so', 'app:a of acme', { connection: undefined, app: { clientId: 'a', tenant: 'acme' } }],
  ['no account where it is nobody’s', undefined, {}],
] as const)('a limit of an account is one of the app, %s', (_, account, whose) => {
  const facts = { endpoints: [], limits: { account: { perSecond: 1, burst: 10, per: 'account' } }, defaultLimits: ['account'] };
  const request = { method: 'GET', url: new URL('https://p.example/a'), headers: new Headers() };
  const keys = bucketsOf({ provider: { key: 'p', http: facts }, request, endpoint: { template: '/a' }, ...whose } as unknown as Call);
  expect(keys.map(({ key }) => key)).toEqual([`p|gate|${account ?? ''}|GET /a`, ...(account ? [`p|account|${account}`] : [])]);
});

describe('with PROXY=declared', () => {
  it('is confined to what the data name, and a provider of PROXY_ANY_FOR is not', async () => {
    const sandbox = await PlainSandbox.start(CHOSEN);
    const settings = { ...sandbox.env(), PROXY: 'declared', PROXY_ANY_FOR: 'dropbox', WORKERS: 'false' };
    const app = await startTestApp({ settings });
    const operator = new Browser(app, await app.tokenFor({ tenant: 'us', user: 'olga', role: 'operator' }));
    const call = (method: string, key: string, path: string) =>
      operator.api<Answer>(method, `/v1/admin/providers/${key}/app/proxy/${path}`);
    expect(await call('GET', 'twitch', 'anything')).toMatchObject({ status: 403, body: { code: 'proxy_not_allowed' } });
    expect((await call('POST', 'dropbox', 'check/app')).status).toBe(200);
    expect(sandbox.requests.filter(({ provider }) => provider === 'twitch')).toEqual([]);
    await app.close();
    await sandbox.stop();
  });
});
