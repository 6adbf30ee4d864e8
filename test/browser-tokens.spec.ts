import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Clock } from '../src/clock';
import { loadSettings } from '../src/config/env';
import { PROVIDER_SETTINGS } from '../src/providers';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const PRODUCT = 'https://app.example.com';
const OTHER_PRODUCT = 'https://admin.example.com';
const STRANGER = 'https://app.example.com.evil.example';
const ALL = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** What a browser token opens. */
const OPEN = [
  'GET /v1/providers',
  'POST /v1/connect-sessions',
  'GET /v1/connections',
  'POST /v1/connections',
  'GET /v1/connections/{id}',
  'DELETE /v1/connections/{id}',
  'GET /v1/connections/{id}/syncs',
  'POST /v1/connections/{id}/syncs',
  'GET /v1/connections/{id}/syncs/{runId}',
  'GET /v1/connections/{id}/events',
  'GET /v1/connection-events',
];
const PATHS = (
  JSON.parse(readFileSync(join(__dirname, '../docs/openapi.json'), 'utf8')) as { paths: Record<string, Record<string, unknown>> }
).paths;

interface Failure {
  readonly code: string;
}

describe('browser tokens', () => {
  let app: TestApp;
  let ada: Browser;
  let connection: string;
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };

  beforeAll(async () => {
    app = await startTestApp({ clock, settings: { BROWSER_ORIGINS: `${PRODUCT},${OTHER_PRODUCT}`, REQUESTS_PER_SECOND: '10000' } });
    ada = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
    connection = (await ada.connect('slack')).searchParams.get('connection') ?? '';
  });
  afterEach(() => void (aheadMs = 0));
  afterAll(() => app.close());

  async function tokenOf(
    who: { tenant?: string; user?: string; role?: 'user' | 'admin' | 'operator' | 'support' } = {},
    body: object = {},
  ): Promise<string> {
    const backend = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada', ...who }));
    const answer = await backend.api<{ token: string }>('POST', '/v1/browser-tokens', body);
    expect(answer.status).toBe(201);
    return answer.body.token;
  }
  const call = (token: string, method: string, path: string, { origin = PRODUCT, body }: { origin?: string | null; body?: unknown } = {}) =>
    ada.api<Failure & { data: { id: string; userId: string | null }[] }>(method, path, body, {
      token,
      headers: origin === null ? {} : { origin },
    });

  it('open what is listed, and nothing else of the API', async () => {
    const token = await tokenOf();
    const described = Object.entries(PATHS).flatMap(([path, item]) =>
      ALL.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described).toEqual(expect.arrayContaining(OPEN));
    const closed = described.filter((each) => !OPEN.includes(each) && / \/v1\//.test(each));
    expect(closed.length).toBeGreaterThan(50);
    for (const each of closed) {
      const [method = '', path = ''] = each.split(' ');
      const filled = path.replace('{id}', connection).replace(/\{\w+\}/g, 'x');
      const answer = await call(token, method, filled, method === 'GET' ? {} : { body: {} });
      expect([each, answer.status, answer.body.code]).toEqual([each, 403, 'forbidden']);
    }
    for (const path of ['/settings/integrations', '/admin', '/live/cards'])
      expect([path, (await fetch(app.url + path, { headers: { authorization: `Bearer ${token}` } })).status]).toEqual([path, 401]);
  });

  it('list, synchronize, connect and end', async () => {
    const token = await tokenOf();
    expect((await call(token, 'GET', '/v1/providers')).status).toBe(200);
    expect((await call(token, 'GET', '/v1/connections')).body.data.map(({ id }) => id)).toEqual([connection]);
    expect([200, 202]).toContain((await call(token, 'POST', `/v1/connections/${connection}/syncs`, { body: { type: 'full' } })).status);
    expect((await call(token, 'POST', '/v1/connect-sessions', { body: { provider: 'google' } })).status).toBe(201);
    const google = (await ada.connect('google')).searchParams.get('connection') ?? '';
    expect((await call(token, 'DELETE', `/v1/connections/${google}`)).status).toBe(200);
  });

  it("show a person's own connections alone, whatever role asked: none of others, none of the organization's", async () => {
    const boss = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' }));
    const shared = (await boss.connect('google', {}, { owner: 'organization' })).searchParams.get('connection') ?? '';
    for (const role of ['admin', 'operator'] as const) {
      const token = await tokenOf({ user: 'boss', role });
      expect((await call(token, 'GET', '/v1/connections')).body.data).toEqual([]);
      for (const id of [connection, shared]) {
        expect((await call(token, 'GET', `/v1/connections/${id}`)).status).toBe(404);
        expect((await call(token, 'DELETE', `/v1/connections/${id}`)).status).toBe(404);
        expect((await call(token, 'POST', `/v1/connections/${id}/syncs`, { body: { type: 'full' } })).status).toBe(404);
        const mend = { provider: 'slack', connectionId: id };
        expect((await call(token, 'POST', '/v1/connect-sessions', { body: mend })).status).toBe(404);
      }
    }
    const token = await tokenOf();
    expect((await call(token, 'GET', '/v1/connections')).body.data.every(({ userId }) => userId === 'ada')).toBe(true);
    expect((await call(await tokenOf({ tenant: 'umbrella' }), 'GET', `/v1/connections/${connection}`)).status).toBe(404);
    const support = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'sam', role: 'support' }));
    expect((await support.api('POST', '/v1/browser-tokens', {})).status).toBe(403);
  });

  describe('that open the organization’s connections as well', () => {
    const organization = true;
    const boss = async () => new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' }));
    const shared = async (policy: object, account: string) =>
      (await (await boss()).connect('google', { login_hint: account }, { owner: 'organization', policy })).searchParams.get('connection') ??
      '';
    const mend = (id: string) => ({ body: { provider: 'google', connectionId: id } });
    const full = { body: { type: 'full' } };

    it('show a person what is theirs and what the organization lets them use, each with whether they may manage it', async () => {
      const used = await shared({}, 'used@acme.test');
      const managed = await shared({ managedBy: 'all' }, 'managed@acme.test');
      const hidden = await shared({ usedBy: 'admins' }, 'hidden@acme.test');
      const token = await tokenOf({}, { organization });
      const views = (await call(token, 'GET', '/v1/connections')).body.data as unknown as {
        id: string;
        owner: string;
        mayManage: boolean;
      }[];
      const seen = Object.fromEntries(views.map(({ id, owner, mayManage }) => [id, `${owner} ${mayManage}`]));
      expect(seen).toMatchObject({ [connection]: 'user true', [used]: 'organization false', [managed]: 'organization true' });
      expect(Object.keys(seen)).not.toContain(hidden);
      for (const [id, seen, managing] of [
        [used, 200, 403],
        [managed, 200, 201],
        [hidden, 404, 404],
      ] as const) {
        expect((await call(token, 'GET', `/v1/connections/${id}`)).status).toBe(seen);
        expect((await call(token, 'POST', '/v1/connect-sessions', mend(id))).status).toBe(managing);
        const started = (await call(token, 'POST', `/v1/connections/${id}/syncs`, full)).status;
        expect(seen === 404 ? [404] : [200, 202]).toContain(started);
      }
      expect((await call(token, 'DELETE', `/v1/connections/${used}`)).status).toBe(403);
      expect((await call(token, 'DELETE', `/v1/connections/${hidden}`)).status).toBe(404);
      expect((await call(token, 'DELETE', `/v1/connections/${managed}?purge=true`)).status).toBe(403);
      expect((await call(token, 'DELETE', `/v1/connections/${managed}`)).status).toBe(200);
      for (const reach of [{}, { organization: false }])
        expect((await call(await tokenOf({}, reach), 'GET', `/v1/connections/${used}`)).status).toBe(404);
    });

    it('let an administrator look after them, and do nothing with another person’s, another organization’s, or for the organization anew', async () => {
      const hidden = await shared({ usedBy: 'admins' }, 'looked-after@acme.test');
      const key = { provider: 'stripe', apiKey: 'sk_test_123456789012', owner: 'organization' };
      for (const role of ['admin', 'operator'] as const) {
        const token = await tokenOf({ user: 'boss', role }, { organization });
        expect((await call(token, 'GET', `/v1/connections/${hidden}`)).status).toBe(200);
        expect((await call(token, 'POST', '/v1/connect-sessions', mend(hidden))).status).toBe(201);
        expect((await call(token, 'DELETE', `/v1/connections/${hidden}?purge=true`)).status).toBe(403);
        for (const path of [`/v1/connections/${connection}`, `/v1/connections/${connection}/syncs`])
          expect([path, (await call(token, 'GET', path)).status]).toEqual([path, 404]);
        expect((await call(token, 'DELETE', `/v1/connections/${connection}`)).status).toBe(404);
        expect((await call(token, 'POST', '/v1/connect-sessions', { body: { provider: 'slack', connectionId: connection } })).status).toBe(
          404,
        );
        expect((await call(token, 'POST', '/v1/connect-sessions', { body: { provider: 'google', owner: 'organization' } })).status).toBe(
          403,
        );
        expect((await call(token, 'POST', '/v1/connections', { body: key })).status).toBe(403);
        expect((await call(token, 'GET', '/v1/admin/connections')).status).toBe(403);
        const elsewhere = await tokenOf({ tenant: 'umbrella', user: 'boss', role }, { organization });
        expect((await call(elsewhere, 'GET', `/v1/connections/${hidden}`)).status).toBe(404);
        expect((await call(elsewhere, 'DELETE', `/v1/connections/${hidden}`)).status).toBe(404);
        expect((await call(elsewhere, 'GET', '/v1/connections')).body.data).toEqual([]);
      }
      const token = await tokenOf({ user: 'boss', role: 'admin' }, { organization });
      expect((await call(token, 'DELETE', `/v1/connections/${hidden}`)).status).toBe(200);
    });
  });

  it('destroy no records, ask for no more than usual, and renew nothing', async () => {
    const token = await tokenOf();
    const purge = await call(token, 'DELETE', `/v1/connections/${connection}?purge=true`);
    expect([purge.status, purge.body.code]).toEqual([403, 'forbidden']);
    for (const more of [
      { scopes: ['chat:write'] },
      { userScopes: ['search:read'] },
      { display: { user: 'The boss' } },
      { owner: 'organization' },
    ]) {
      const answer = await call(token, 'POST', '/v1/connect-sessions', { body: { provider: 'slack', ...more } });
      expect([more, answer.status]).toEqual([more, 403]);
    }
    expect((await call(token, 'POST', '/v1/browser-tokens', { body: {} })).status).toBe(403);
    expect((await call(token, 'POST', '/v1/browser-sessions', { body: {} })).status).toBe(403);
  });

  it('end after minutes, with the token that asked, with the sessions of their user, and with the person', async () => {
    const status = async (token: string) => (await call(token, 'GET', '/v1/connections')).status;
    const [usual, short] = [await tokenOf(), await tokenOf({}, { expiresIn: 60 })];
    aheadMs = 61_000;
    expect([await status(usual), await status(short)]).toEqual([200, 401]);
    aheadMs = 601_000;
    expect(await status(usual)).toBe(401);
    aheadMs = 0;
    for (const expiresIn of [59, 901, 3_600.5]) expect((await ada.api('POST', '/v1/browser-tokens', { expiresIn })).status).toBe(400);
    const [token, others] = [await tokenOf(), await tokenOf({ user: 'bob' })];
    await ada.asAdmin('DELETE', '/v1/admin/users/ada/sessions');
    expect([await status(token), await status(others)]).toEqual([401, 200]);
    await ada.asAdmin('DELETE', '/v1/admin/users/bob');
    expect(await status(others)).toBe(401);
  });

  it('are taken as they were made, and for nothing else', async () => {
    const token = await tokenOf();
    const middle = Math.floor(token.length / 2);
    const flipped = token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
    const code = new URL((await ada.api<{ url: string }>('POST', '/v1/browser-sessions', {})).body.url).searchParams.get('code') ?? '';
    for (const bad of [flipped, token.slice(4), `${token}A`, 'tbt_', `tbt_${code}`, `tbt_${'A'.repeat(9_000)}`])
      expect([bad.slice(0, 12), (await call(bad, 'GET', '/v1/connections')).status]).toEqual([bad.slice(0, 12), 401]);
    expect((await fetch(`${app.url}/session?code=${token.slice(4)}`, { redirect: 'manual' })).status).toBe(401);
    for (const query of [`token=${token}`, `access_token=${token}`])
      expect((await fetch(`${app.url}/v1/connections?${query}`)).status).toBe(401);
  });

  it('are of use in the page that they are for', async () => {
    const status = async (token: string, origin: string | null) => (await call(token, 'GET', '/v1/connections', { origin })).status;
    const bound = await tokenOf({}, { origin: PRODUCT });
    for (const [origin, expected] of [
      [PRODUCT, 200],
      [OTHER_PRODUCT, 403],
      [STRANGER, 403],
      ['null', 403],
      [null, 403],
      [app.url, 403],
    ] as const)
      expect([origin, await status(bound, origin)]).toEqual([origin, expected]);
    const free = await tokenOf();
    for (const [origin, expected] of [
      [OTHER_PRODUCT, 200],
      [app.url, 200],
      [null, 200],
      [STRANGER, 403],
      ['null', 403],
    ] as const)
      expect([origin, await status(free, origin)]).toEqual([origin, expected]);
    for (const origin of [STRANGER, '*', `${PRODUCT}/`, 'null'])
      expect([origin, (await ada.api<Failure>('POST', '/v1/browser-tokens', { origin })).body.code]).toEqual([origin, 'invalid_request']);
  });

  it('are recorded, and are in no answer but the one that gives them', async () => {
    await tokenOf({ user: 'carl' });
    const { body } = await ada.asAdmin<{ data: { action: string; target: string; actor: { userId: string } }[] }>(
      'GET',
      '/v1/admin/audit?action=browser-token.create&limit=1',
    );
    expect(body.data).toMatchObject([{ action: 'browser-token.create', target: 'user:carl', actor: { userId: 'carl' } }]);
    expect((await ada.api('POST', '/v1/browser-tokens', { organization: true })).status).toBe(201);
    const { body: ofTwo } = await ada.asAdmin<{ data: { target: string }[] }>('GET', '/v1/admin/audit?action=browser-token.create&limit=2');
    expect(ofTwo.data.map(({ target }) => target).sort()).toEqual(['organization:acme', 'user:ada']);
  });

  describe('in pages of other origins', () => {
    const cors = ({ headers }: Response) =>
      ['allow-origin', 'allow-credentials', 'allow-methods', 'allow-headers', 'max-age'].flatMap((name) => {
        const value = headers.get(`access-control-${name}`);
        return value === null ? [] : [[name, value]];
      });
    const ask = (path: string, origin: string, method = 'GET') =>
      fetch(app.url + path, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
      });

    it('the answers of the open routes can be read by the listed origins, refusals as well, never with cookies', async () => {
      const token = await tokenOf();
      for (const authorization of [`Bearer ${token}`, 'Bearer none', '']) {
        const read = (origin: string) =>
          fetch(`${app.url}/v1/connections`, { headers: { origin, ...(authorization && { authorization }) } });
        const answer = await read(PRODUCT);
        expect(cors(answer)).toEqual([['allow-origin', PRODUCT]]);
        expect(answer.headers.get('vary')).toBe('Origin');
        for (const origin of [STRANGER, 'http://app.example.com', 'https://app.example.com:8443', 'null']) {
          const other = await read(origin);
          expect([origin, cors(other), other.headers.get('vary')]).toEqual([origin, [], 'Origin']);
        }
      }
    });

    it('a browser that asks first hears of the open routes alone', async () => {
      for (const [path, method] of [
        ['/v1/connections', 'POST'],
        [`/v1/connections/${connection}`, 'DELETE'],
        ['/v1/connection-events', 'GET'],
      ] as const) {
        const answer = await ask(path, PRODUCT, method);
        const told = Object.fromEntries(cors(answer)) as Record<string, string>;
        expect([path, answer.status, told['allow-origin'], told['allow-credentials']]).toEqual([path, 204, PRODUCT, undefined]);
        expect(told['allow-methods']?.split(', ')).toContain(method);
        expect(told['allow-methods']).not.toContain('PATCH');
        expect(answer.headers.get('vary')).toMatch(/^Origin/);
        expect(cors(await ask(path, STRANGER, method))).toEqual([]);
        expect(cors(await ask(path, 'null', method))).toEqual([]);
      }
      for (const path of [
        `/v1/connections/${connection}/proxy/auth.test`,
        `/v1/connections/${connection}/operations`,
        `/v1/connections/${connection}/records/channels`,
        '/v1/admin/health',
        '/v1/browser-tokens',
        '/v1/browser-sessions',
        '/settings/integrations',
        '/session/logout',
        '/health/ready',
      ]) {
        expect([path, cors(await ask(path, PRODUCT, 'POST'))]).toEqual([path, []]);
        expect([path, cors(await fetch(app.url + path, { headers: { origin: PRODUCT } }))]).toEqual([path, []]);
      }
    });
  });

  describe('live', () => {
    async function* told(token: string, signal: AbortSignal): AsyncGenerator<{ type: string; data: Record<string, unknown> }> {
      const headers = { authorization: `Bearer ${token}`, origin: PRODUCT };
      const answer = await fetch(`${app.url}/v1/connection-events`, { headers, signal });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, PRODUCT]);
      let text = '';
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(part).toString('utf8');
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const [, type = '', data = '{}'] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? [];
          if (type !== '') yield { type, data: JSON.parse(data) as Record<string, unknown> };
        }
      }
    }

    it('tells all at first and then what changes, of their user alone', async () => {
      const stop = new AbortController();
      const [before, after] = [new Map<string, string>(), [] as string[]];
      let isReady = false;
      let changing: Promise<unknown> | undefined;
      for await (const { type, data } of told(await tokenOf(), stop.signal)) {
        const { id, status, userId } = (data['connection'] ?? {}) as { id: string; status: string; userId: string };
        if (type === 'ready') {
          isReady = true;
          expect(before.get(connection)).toBe('connected');
          const others = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'eve' }));
          changing = others.connect('stripe').then(() => ada.api('DELETE', `/v1/connections/${connection}`));
        } else if (type === 'connection') {
          expect(userId).toBe('ada');
          if (!isReady) before.set(id, status);
          else after.push(`${id} ${status}`);
          if (after.includes(`${connection} disconnected`)) break;
        }
      }
      await changing;
      expect(new Set(after.map((each) => each.split(' ')[0]))).toEqual(new Set([connection]));
    });

    it('tells of what is the organization’s where the token opens it, and takes it back with the right to use it', async () => {
      const boss = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' }));
      const shared =
        (await boss.connect('google', { login_hint: 'told@acme.test' }, { owner: 'organization' })).searchParams.get('connection') ?? '';
      const heard = new Map<string, unknown>();
      let changing: Promise<unknown> | undefined;
      for await (const { type, data } of told(await tokenOf({ user: 'fay' }, { organization: true }), AbortSignal.timeout(60_000))) {
        const { id, mayManage } = (data['connection'] ?? {}) as { id: string; mayManage: boolean };
        if (type === 'connection') heard.set(id, mayManage);
        if (type === 'ready') {
          expect(heard.get(shared)).toBe(false);
          changing = boss.api('PATCH', `/v1/connections/${shared}`, { policy: { usedBy: 'admins' } });
        }
        if (type === 'gone' && data['id'] === shared) break;
      }
      expect(await changing).toMatchObject({ status: 200 });
      for await (const { type, data } of told(await tokenOf({ user: 'fay' }), AbortSignal.timeout(60_000))) {
        expect(type).not.toBe('connection');
        if (type === 'ready') {
          expect(data['ids']).toEqual([]);
          break;
        }
      }
    });

    it('ends when the token is ended', async () => {
      const token = await tokenOf({ user: 'dora' });
      let ending: Promise<unknown> | undefined;
      for await (const { type } of told(token, AbortSignal.timeout(60_000)))
        if (type === 'ready') ending = ada.asAdmin('DELETE', '/v1/admin/users/dora/sessions');
      expect(await ending).toMatchObject({ status: 200, body: { ended: 1 } });
    });
  });
});

describe('BROWSER_ORIGINS', () => {
  const faultsOf = (origins: string, more: Record<string, string> = {}) => {
    try {
      loadSettings({ NODE_ENV: 'test', BROWSER_ORIGINS: origins, SANDBOX: 'off', ...more }, PROVIDER_SETTINGS);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each(['*', 'https://*.example.com', 'https://app.example.com/', 'https://app.example.com/app', 'app.example.com', 'null', 'file://x'])(
    'takes no %s',
    (origin) => expect(faultsOf(origin)).toMatch(/BROWSER_ORIGINS: "[^"]+" is (a pattern|not an origin)/),
  );

  it('takes https alone in production', () => {
    expect(faultsOf('http://app.example.com', { NODE_ENV: 'production' })).toMatch(/BROWSER_ORIGINS: .* must be https in production/);
    expect(faultsOf(PRODUCT, { NODE_ENV: 'production' })).not.toMatch(/BROWSER_ORIGINS/);
  });
});
