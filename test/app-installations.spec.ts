import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { DataSource } from 'typeorm';
import { systemClock, type Clock } from '../src/clock';
import { readProviderSettings, type Env } from '../src/config/provider-settings';
import { plainSettings, ProviderRegistry } from '../src/integrations';
import { assertAllowedThroughProxy } from '../src/integrations/operations/proxy/proxy-policy';
import { plainProvider } from '../src/integrations/providers/plain/plain-engine';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const INSTALLED = PLAIN_PROVIDERS.filter(({ oauth2 }) => oauth2?.installation);

describe.each(INSTALLED.map((declaration) => [declaration.key, declaration] as const))('%s', (key, declaration) => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  let aheadMs = 0;
  let logged = '';
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const answers: string[] = [];

  beforeAll(async () => {
    sandbox = await PlainSandbox.start([declaration]);
    sandbox.world(key).now = () => Date.now() + aheadMs;
    const log = { write: (line: string) => void (logged += line) };
    app = await startTestApp({ clock, log, settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
  });
  beforeEach(async () => {
    await later(20 * 60_000);
    sandbox.admitAgain(key);
    sandbox.suspend(key, false);
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  /** What everybody shares for a while is over then. */
  const later = async (ms: number) => {
    aheadMs += ms;
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: expect.getState().currentTestName ?? '' }), answers);
  };
  const connected = async () => {
    const { searchParams } = await browser.connect(key);
    expect(searchParams.get('success')).toBe(key);
    return (searchParams.get('connections') ?? searchParams.get('connection') ?? '').split(',');
  };
  const call = (id: string, path = 'things') => browser.api<{ code: string; detail: string }>('GET', `/v1/connections/${id}/proxy/${path}`);
  const seen = async (id: string) => (await browser.api<{ status: string; account: { id: string } }>('GET', `/v1/connections/${id}`)).body;
  const asked = (from = 0) =>
    sandbox.requests.slice(from).map(({ what, grantType = '', status }) => [what, grantType, status].filter(Boolean).join(' '));

  it('is connected to the accounts that the person administers, whatever the way back names, with a token of each', async () => {
    const ids = await connected();
    const accounts = await Promise.all(ids.map(seen));
    expect(accounts.map(({ account, status }) => [account.id, status])).toEqual([
      ['acct-1', 'connected'],
      ['acct-2', 'connected'],
    ]);
    const { grants } = sandbox.world(key);
    expect(grants.map(({ installation = 'the person' }) => installation).sort()).toEqual(['acct-1', 'acct-2', 'the person']);
    // Of one consent, and yet each goes on without the other.
    for (const grant of grants.filter(({ installation }) => installation !== 'acct-2')) grant.revoked = true;
    const before = sandbox.requests.length;
    expect((await call(ids[1]!)).status).toBe(200);
    expect(asked(before)).toEqual(['api 200']);
    expect((await call(ids[0]!)).status).toBe(200);
    expect(asked(before).slice(1)).toEqual(['api 401', 'token installation 201', 'api 200']);
  });

  it('keeps no token of the person', async () => {
    const [id] = await connected();
    const [person] = sandbox.world(key).grants;
    expect(person?.installation).toBeUndefined();
    person!.revoked = true;
    expect((await call(id!)).status).toBe(200);
  });

  it('is not given away by somebody who only sees it', async () => {
    sandbox.world(key).installations.administers = false;
    const before = sandbox.requests.length;
    const { searchParams } = await browser.connect(key);
    sandbox.world(key).installations.administers = true;
    expect(searchParams.get('error')).toBe('connect_failed');
    expect(asked(before)).not.toContain('token installation 201');
  });

  it('gets a new token before the old one ends', async () => {
    const [id] = await connected();
    await later(3_600_000 - 30_000);
    const before = sandbox.requests.length;
    expect((await call(id!)).status).toBe(200);
    expect(asked(before)).toEqual(['token installation 201', 'api 200']);
  });

  it('rests where its account suspends it, and goes on by itself', async () => {
    const [id] = await connected();
    sandbox.suspend(key);
    sandbox.expireTokens(key);
    const refused = await call(id!, 'rests');
    expect(refused).toMatchObject({ status: 403, body: { code: 'organization_forbids' } });
    expect((await seen(id!)).status).toBe('connected');
    sandbox.suspend(key, false);
    await later(60_000);
    expect((await call(id!)).status).toBe(200);
  });

  it('ends where it is no longer installed', async () => {
    const [id] = await connected();
    sandbox.revokeTokens(key);
    expect(await call(id!, 'ended')).toMatchObject({ status: 409, body: { code: 'needs_reauth' } });
    expect((await seen(id!)).status).toBe('needs_reauth');
  });

  it.each([
    ['is the operator’s to mend where the app’s own key is refused', 401, 'provider_misconfigured'],
    ['waits where its provider is busy', 503, 'provider_unavailable'],
    ['is not ended by a refusal that nobody knows', 422, 'refresh_refused'],
  ])('%s', async (_, status, code) => {
    const [id] = await connected();
    sandbox.expireTokens(key);
    sandbox.answerTokens(key, { status, body: { message: 'no' } });
    const refused = await call(id!, 'refused');
    sandbox.answerTokens(key);
    expect(refused.body.code).toBe(code);
    expect((await seen(id!)).status).toBe('connected');
    await later(20 * 60_000);
    expect((await call(id!)).status).toBe(200);
  });

  it('asks nobody to connect anew where another app was set up by mistake', async () => {
    const [id] = await connected();
    sandbox.expireTokens(key);
    const { app: facts, oauth2 } = app.app.get(ProviderRegistry, { strict: false }).get(key);
    const { clientId } = facts!;
    for (const each of [facts, oauth2]) Object.assign(each!, { clientId: 'another' });
    const before = sandbox.requests.length;
    expect((await call(id!)).body.code).toBe('provider_misconfigured');
    expect(asked(before)).toEqual(['api 401']);
    expect((await seen(id!)).status).toBe('connected');
    for (const each of [facts, oauth2]) Object.assign(each!, { clientId });
    await later(20 * 60_000);
    expect((await call(id!)).status).toBe(200);
  });

  it('is mended alone, whatever has become of the others', async () => {
    const ids = await connected();
    sandbox.world(key).installations.resting.add('acct-2');
    const landed = await browser.connect(key, {}, { connectionId: ids[0]! });
    expect(landed.searchParams.get('connection')).toBe(ids[0]);
    expect(landed.searchParams.get('connections')).toBeNull();
    const rests = await browser.connect(key, {}, { connectionId: ids[1]! });
    expect(rests.searchParams.get('error')).toBe('organization_forbids');
    // One that rests is left out, and those that do not are connected.
    expect(await connected()).toEqual([ids[0]]);
  });

  it('is called as the app itself by what it signs, for operators alone', async () => {
    const operator = new Browser(app, await app.tokenFor({ tenant: 'us', user: 'olga', role: 'operator' }), answers);
    const admin = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'admin', role: 'admin' }), answers);
    const asApp = (by: Browser, method: string, path: string) =>
      by.api<{ code: string; nextStep: string }>(method, `/v1/admin/providers/${key}/app/proxy/${path}`);
    expect((await asApp(operator, 'GET', 'app')).status).toBe(200);
    const refused = await asApp(admin, 'GET', 'app');
    expect(refused).toMatchObject({ status: 409, body: { code: 'provider_not_configured' } });
    expect(refused.body.nextStep).not.toContain('/client');
    const own = { clientId: 'own', clientSecret: 'own-secret' };
    expect((await admin.api('PUT', `/v1/admin/providers/${key}/client`, own)).status).toBe(422);
    sandbox.answerAll(key, { status: 401, body: { message: 'no' } });
    expect(await asApp(operator, 'GET', 'app')).toMatchObject({ status: 502, body: { code: 'provider_misconfigured' } });
    sandbox.answerAll(key);
  });

  it('mints and ends nothing through the proxy', () => {
    const { http } = plainProvider(declaration, { webhookSecrets: [] }, () => '');
    const { installation, revokeUrl = '' } = declaration.oauth2!;
    const minting = new URL(installation!.path.replace(/\{\w+\}/g, '1'), declaration.apiBaseUrl);
    for (const target of [minting, new URL(revokeUrl)])
      for (const way of ['connection', 'app'] as const)
        for (const method of ['POST', 'DELETE'])
          expect(() => assertAllowedThroughProxy({ method, target, headers: new Headers() }, http, 'any', way)).toThrow(
            expect.objectContaining({ code: 'proxy_not_allowed' }) as Error,
          );
  });

  it('shows neither the key nor a token anywhere', async () => {
    await connected();
    const rows = await app.app
      .get(DataSource)
      .query<{ text: string }[]>(
        'SELECT t::text AS text FROM tokens t UNION ALL SELECT l::text FROM request_log l UNION ALL SELECT c::text FROM connections c',
      );
    const all = [logged, ...answers, ...rows.map(({ text }) => text)].join('\n');
    const [, line] = sandbox.world(key).installations.privateKey.split('\n');
    for (const secret of [line!, sandbox.env()[`${prefix}_PRIVATE_KEY`]!, ...sandbox.world(key).grants.map(({ access }) => access)])
      expect(all).not.toContain(secret);
  });

  const prefix = key.toUpperCase().replaceAll('-', '_');
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = (type: 'pkcs1' | 'pkcs8') => rsa.export({ type, format: 'pem' }).toString();
  const client = { [`${prefix}_CLIENT_ID`]: 'id', [`${prefix}_CLIENT_SECRET`]: 'secret' };
  const read = (env: Env): { settings: ReturnType<ReturnType<typeof plainSettings>['read']>; faults: string[] } => {
    const faults: string[] = [];
    return { settings: readProviderSettings(env, plainSettings(declaration), faults), faults };
  };

  it.each([
    ['PKCS#1', pem('pkcs1')],
    ['PKCS#8', pem('pkcs8')],
    ['on one line', pem('pkcs1').replaceAll('\n', '\\n')],
    ['base64', Buffer.from(pem('pkcs1')).toString('base64')],
    ['base64 of PKCS#8', Buffer.from(pem('pkcs8')).toString('base64')],
  ])('takes its key as %s', (_, text) => {
    const { settings, faults } = read({ ...client, [`${prefix}_PRIVATE_KEY`]: text });
    expect(faults).toEqual([]);
    expect(settings.privateKey?.equals(createPrivateKey(pem('pkcs8')))).toBe(true);
    const provider = plainProvider(declaration, settings, () => '');
    expect([provider.configured, provider.app?.by, provider.withClient]).toEqual([true, 'jwt', undefined]);
  });

  it.each([
    ['an elliptic one', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a short one', generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['none', 'no key at all'],
  ])('says that its key is %s', (_, text) => {
    const { faults } = read({ ...client, [`${prefix}_PRIVATE_KEY`]: text });
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${prefix}_PRIVATE_KEY: must be an RSA private key`))]);
    expect(faults.join()).not.toContain(text.slice(0, 12));
  });

  it('is not set up by halves', () => {
    expect(read(client).faults).toEqual([expect.stringContaining(`set ${prefix}_PRIVATE_KEY too`)]);
    expect(read({ [`${prefix}_PRIVATE_KEY`]: pem('pkcs1') }).faults).toEqual([expect.stringContaining(`set ${prefix}_CLIENT_ID too`)]);
  });
});
