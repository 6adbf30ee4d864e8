import { isErrorCode } from './support/error-codes';
import { systemClock, type Clock } from '../src/clock';
import { PLAIN_PROVIDERS, PROVIDERS } from '../src/providers';
import { isMinted, isMintedAnew, type PlainProvider } from '../src/integrations';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const names = PLAIN_PROVIDERS.map((declaration) => [declaration.key, declaration] as const);
const signsIn = ({ oauth2 }: PlainProvider) => oauth2 !== undefined && !isMinted(oauth2);

const renewedBy = (oauth2: PlainProvider['oauth2']) =>
  oauth2?.installation
    ? { status: 201, grantType: 'installation' }
    : { status: 200, grantType: isMinted(oauth2) ? (oauth2?.tokenParams?.['grant_type'] ?? oauth2?.grant) : 'refresh_token' };

describe('the shape of a plain provider', () => {
  it('is one of its own', () => {
    const keys = [...PLAIN_PROVIDERS.map(({ key }) => key), ...PROVIDERS.map(({ settings }) => settings.key)];
    expect(keys).toEqual([...new Set(keys)]);
    expect(PLAIN_PROVIDERS.map(({ name }) => name)).toEqual([...new Set(PLAIN_PROVIDERS.map(({ name }) => name))]);
  });

  it.each(names)('%s', (_, declaration) => {
    const {
      apiBaseUrl,
      oauth2,
      apiKey,
      account,
      hosts = [],
      ask = {},
      learn = {},
      docs,
      checked,
      faults = [],
      resources = [],
    } = declaration;
    expect(docs).toMatch(/^https:\/\/[^\s]+$/);
    expect(checked.at).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(checked.against).not.toBe('');
    expect(apiBaseUrl).toMatch(/^(https:\/\/.*|\{\w+\}(\/.*)?)\/$/);
    expect(oauth2 ?? apiKey).toBeDefined();
    const addresses = [apiBaseUrl, oauth2?.authorizeUrl, oauth2?.tokenUrl, oauth2?.revokeUrl].filter((each) => each !== undefined);
    for (const address of addresses) {
      const places = [...address.matchAll(/\{(\w+)\}/g)].map(([, place]) => place);
      for (const place of places)
        expect([...Object.keys({ ...ask, ...learn, ...account.several?.values }), 'accessToken', 'refreshToken', 'clientId']).toContain(
          place,
        );
      // What a person or an answer puts into the host is held by a fixed pattern.
      if (/^https:\/\/[^/]*\{|^\{/.test(address)) expect(hosts.length).toBeGreaterThan(0);
      if (places.length === 0) expect(new URL(address).protocol).toBe('https:');
    }
    for (const host of hosts) expect(host).toMatch(/^(\*|[a-z0-9-]+)(\.(\*|[a-z0-9-]+))*\.[a-z0-9-]+\.[a-z]{2,}$/);
    if (signsIn(declaration)) expect(oauth2?.authorizeUrl).toBeDefined();
    expect(oauth2?.signIn !== undefined).toBe(oauth2?.grant === 'login');
    if (oauth2?.installation) {
      expect(declaration.app).toEqual({ by: 'jwt' });
      const places = [...oauth2.installation.path.matchAll(/\{(\w+)\}/g)].map(([, place]) => place);
      expect(Object.keys(account.several?.values ?? {})).toEqual(expect.arrayContaining(places));
      expect(places.length).toBeGreaterThan(0);
      // Not everybody who sees an installation may give it away.
      expect(account.several?.administered?.length).toBeGreaterThan(0);
      const told = [...oauth2.installation.faults, ...faults];
      expect(told.map(({ code }) => code)).toEqual(expect.arrayContaining(['needs_reauth', 'organization_forbids']));
      // A status alone may be a gate's, or that of a wrong address: it ends no connection.
      for (const { code, at } of told) if (code === 'needs_reauth') expect(at).toBeDefined();
      expect(oauth2.refresh).toBeUndefined();
    }
    for (const text of Object.values(oauth2?.tokenParams ?? {}))
      for (const [, place = ''] of text.matchAll(/\{(\w+)\}/g)) expect([place, ask[place] && !ask[place].secret]).toEqual([place, true]);
    if (oauth2?.signIn) {
      const posted = [...JSON.stringify(oauth2.signIn).matchAll(/\{(\w+)\}/g)].map(([, place]) => place as string);
      const secrets = Object.keys(ask).filter((name) => ask[name]?.secret);
      expect(posted).toEqual(expect.arrayContaining(secrets));
      expect(Object.keys(ask)).toEqual(expect.arrayContaining(posted));
      expect(secrets.length).toBeGreaterThan(0);
      // A secret is in no address.
      for (const address of addresses) for (const secret of secrets) expect(address).not.toContain(`{${secret}}`);
      // Nothing else may mint its tokens.
      expect([oauth2.refresh, declaration.apiKey, declaration.app]).toEqual([undefined, undefined, undefined]);
    }
    if (declaration.noEvents !== undefined)
      expect([declaration.webhooks, declaration.noEvents]).toEqual([undefined, expect.stringMatching(/^[A-Z].*\.$/)]);
    if (apiKey) expect(apiKey.help).toMatch(/^[A-Z].*\.$/);
    if (apiKey?.pattern) expect(apiKey.example).toMatch(new RegExp(`^(?:${apiKey.pattern.source})$`));
    for (const { pattern, example } of Object.values(ask)) expect(example).toMatch(new RegExp(`^(?:${pattern.source})$`));
    if (account.path === undefined) for (const at of [account.id].flat()) expect(at).toMatch(/^(token|id_token|callback|ask):/);
    for (const { code } of faults) expect(isErrorCode(code)).toBe(true);
    for (const { name, since, page } of resources) {
      expect(name).toMatch(/^[a-z][a-z_-]*$/);
      if (page.by === 'offset' || page.by === 'number') expect(page.size).toBeGreaterThan(0);
      if (since && 'param' in since) expect(since.param).not.toBe('');
    }
    expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length);
  });
});

describe('every plain provider, against what its declaration says', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  let aheadMs = 0;
  let logged = '';
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const log = { write: (line: string) => void (logged += line) };

  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS);
    app = await startTestApp({ clock, log, settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  /** What a person fills in; what is secret is only told on the way in. */
  const fieldsOf = ({ ask = {}, oauth2 }: PlainProvider) => ({
    ...Object.fromEntries(Object.entries(ask).map(([name, { example }]) => [name, example])),
    ...(oauth2?.grant === 'client_credentials' && { clientId: 'your-client-id', clientSecret: 'your-client-secret' }),
  });

  async function connect(declaration: PlainProvider): Promise<string> {
    const { key } = declaration;
    const fields = fieldsOf(declaration);
    const given = Object.keys(fields).length > 0 ? { fields } : {};
    if (signsIn(declaration)) {
      const landed = await browser.connect(key, {}, given);
      expect(landed.searchParams.toString()).toContain(`success=${key}`);
      return landed.searchParams.get('connection') ?? '';
    }
    const apiKey = declaration.oauth2 ? {} : { apiKey: sandbox.world(key).key };
    const { status, body } = await browser.api<{ id: string }>('POST', '/v1/connections', { provider: key, ...apiKey, ...given });
    expect({ status, body }).toMatchObject({ status: 201 });
    return body.id;
  }

  const call = (id: string, path = 'things') => browser.api<{ code: string }>('GET', `/v1/connections/${id}/proxy/${path}`);
  const tokenCalls = (key: string) => sandbox.requests.filter(({ provider, what }) => provider === key && what === 'token');

  it.each(names)('%s connects, renews, calls, notices an end and a limit', async (key, declaration) => {
    const id = await connect(declaration);
    const { body } = await browser.api<{ status: string; account: { id: string; name: string } }>('GET', `/v1/connections/${id}`);
    expect(body).toMatchObject({ status: 'connected', provider: key });
    expect(body.account.id).not.toBe('');
    expect((await call(id)).status).toBe(200);

    const { oauth2 } = declaration;
    const renews = oauth2?.refresh || isMintedAnew(oauth2);
    if (renews) {
      const before = tokenCalls(key).length;
      sandbox.expireTokens(key);
      expect((await call(id)).status).toBe(200);
      expect(tokenCalls(key).slice(before)).toMatchObject([renewedBy(oauth2)]);
    }

    sandbox.revokeTokens(key);
    const ended = await call(id, 'ended');
    expect(ended).toMatchObject({ status: 409, body: { code: 'needs_reauth' } });
    expect((await browser.api<{ status: string }>('GET', `/v1/connections/${id}`)).body.status).toBe('needs_reauth');

    sandbox.admitAgain(key);
    expect(await connect(declaration)).toBe(id);
    sandbox.answerNext(key, { status: 429, headers: { 'retry-after': '120' }, body: {} });
    expect(await call(id, 'limited')).toMatchObject({ status: 429 });
  });

  const minted = names.filter(([, { oauth2 }]) => oauth2?.grant === 'login');

  it.each(minted)('%s is signed in anew, and asks its person only where the sign-in is refused', async (key, declaration) => {
    browser = new Browser(app, await app.tokenFor({ tenant: 'other', user: 'bo' }));
    sandbox.admitAgain(key);
    const id = await connect(declaration);
    const statusOf = async () => (await browser.api<{ status: string }>('GET', `/v1/connections/${id}`)).body.status;
    sandbox.expireTokens(key);
    sandbox.answerNextToken(key, { status: 503, body: {} });
    expect(await call(id, 'busy')).toMatchObject({ status: 503, body: { code: 'provider_unavailable' } });
    expect(await statusOf()).toBe('connected');
    // Whoever comes in the next moments shares the failure.
    aheadMs += 60_000;
    expect((await call(id)).status).toBe(200);

    sandbox.expireTokens(key);
    sandbox.answerNextToken(key, { status: 403, body: { message: 'no' } });
    const refused = await call(id, 'refused');
    expect(refused).toMatchObject({ status: 409, body: { code: 'needs_reauth' } });
    expect(await statusOf()).toBe('needs_reauth');
    const secrets = Object.values(declaration.ask ?? {}).filter(({ secret }) => secret);
    const { body } = await browser.api('GET', `/v1/connections/${id}`);
    for (const { example } of secrets) {
      expect(JSON.stringify([refused.body, body])).not.toContain(example);
      expect(logged).toContain(id);
      expect(logged).not.toContain(example);
      for (const { path, query } of sandbox.requests.filter(({ provider }) => provider === key))
        expect(path + query).not.toContain(example);
    }
  });

  it.each(minted)('%s tells a refusal as one, though the sign-in before it was in doubt', async (key, declaration) => {
    browser = new Browser(app, await app.tokenFor({ tenant: 'other', user: 'bo' }));
    sandbox.admitAgain(key);
    const id = await connect(declaration);
    sandbox.expireTokens(key);
    sandbox.answerNextToken(key, { status: 503, body: {} });
    expect((await call(id, 'busy')).status).toBe(503);
    aheadMs += 60_000;
    sandbox.revokeTokens(key);
    expect(await call(id, 'refused')).toMatchObject({ status: 409, body: { code: 'needs_reauth' } });
    sandbox.admitAgain(key);
  });

  it.each(minted)('%s refuses at the connect what its sign-in refuses', async (key, declaration) => {
    sandbox.revokeTokens(key);
    const { status, body } = await browser.api('POST', '/v1/connections', { provider: key, fields: fieldsOf(declaration) });
    expect({ status, body }).toMatchObject({ status: 422, body: { code: 'credentials_rejected' } });
    sandbox.admitAgain(key);
  });

  const told = minted.flatMap(([key, declaration]) => {
    const [, seconds] = /^=(\d+)$/.exec([declaration.token?.expiresIn].flat()[0] ?? '') ?? [];
    return seconds === undefined ? [] : [[key, declaration, Number(seconds)] as const];
  });

  it.each(told)('%s is signed in anew before the end that its declaration tells', async (key, declaration, seconds) => {
    const id = await connect(declaration);
    aheadMs += (seconds - 30) * 1_000;
    browser = new Browser(app, await app.tokenFor({ tenant: 'other', user: 'bo' }));
    const before = sandbox.requests.length;
    expect((await call(id)).status).toBe(200);
    const asked = sandbox.requests.slice(before).filter(({ provider }) => provider === key);
    expect(asked.map(({ what, status }) => ({ what, status }))).toEqual([
      { what: 'token', status: 200 },
      { what: 'api', status: 200 },
    ]);
  });

  // The last of all: a limit of the sign-in call holds for a while.
  it.each(minted)('%s asks nobody to connect anew where its sign-in is limited', async (key, declaration) => {
    const id = await connect(declaration);
    sandbox.expireTokens(key);
    sandbox.answerNextToken(key, { status: 429, headers: { 'retry-after': '120' }, body: {} });
    expect(await call(id, 'limited')).toMatchObject({ status: 429, body: { code: 'provider_rate_limited' } });
    expect((await browser.api<{ status: string }>('GET', `/v1/connections/${id}`)).body.status).toBe('connected');
  });
});
