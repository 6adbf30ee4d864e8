import { startTestApp, type TestApp } from '../../../test/support/test-app';
import { DataSource } from 'typeorm';
import { startSandbox, type Sandbox } from '../../sandbox';
import { HttpChainModule } from '../http/http-chain.module';
import { ProviderRegistry } from '../registry';
import { OAuthModule } from './oauth.module';
import { sandboxProviders } from './testing/sandbox-providers';
import { everythingIn } from './testing/token-fixture';

const APP = 'https://app.example.com/done';

/** Keeps the service's cookies, as a browser would, and follows nothing by itself. */
class Browser {
  private readonly cookies = new Map<string, string>();
  readonly setCookies: string[] = [];

  async get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; location: string; text: string; headers: Headers }> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { ...(cookie && { cookie }), ...headers } });
    for (const line of response.headers.getSetCookie()) {
      this.setCookies.push(line);
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined) this.cookies.set(name, value ?? '');
    }
    return { status: response.status, location: response.headers.get('location') ?? '', text: await response.text(), headers: response.headers };
  }
}

describe('Connecting', () => {
  let sandbox: Sandbox;
  let app: TestApp;
  let user: string;
  let other: string;
  let admin: string;
  beforeAll(async () => {
    sandbox = await startSandbox();
    app = await startTestApp({ imports: [HttpChainModule, OAuthModule], settings: { RETURN_TO_ORIGINS: 'https://app.example.com', ...sandbox.env() } });
    for (const provider of Object.values(sandboxProviders(sandbox))) app.app.get(ProviderRegistry).register(provider);
    user = await app.tokenFor({ tenant: 'acme', user: 'u1' });
    other = await app.tokenFor({ tenant: 'other', user: 'u1' });
    admin = await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });
  beforeEach(() => {
    sandbox.control.clearFaults();
    sandbox.control.clearLedger();
  });

  async function call(method: string, path: string, body?: unknown, token = user): Promise<{ status: number; body: Record<string, any> }> {
    const response = await fetch(`${app.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, any> };
  }
  const session = async (provider: string, more: Record<string, unknown> = {}, token = user): Promise<string> => {
    const { status, body } = await call('POST', '/v1/connect-sessions', { provider, returnTo: APP, ...more }, token);
    expect(status).toBe(201);
    return body['connectUrl'] as string;
  };
  /** The address of the callback, with its code and state, that the provider sends the browser to. */
  const consent = async (authorizeUrl: string, account: string, decision = 'allow'): Promise<string> => {
    const url = new URL(authorizeUrl);
    url.searchParams.set('auto', decision);
    url.searchParams.set(url.pathname.includes('v2/authorize') ? 'team' : 'login_hint', account);
    return (await fetch(url, { redirect: 'manual' })).headers.get('location') as string;
  };
  const toCallback = async (browser: Browser, provider: string, account: string, more: Record<string, unknown> = {}): Promise<string> =>
    consent((await browser.get(await session(provider, more))).location, account);
  const connect = async (provider: string, account: string, more: Record<string, unknown> = {}): Promise<URL> => {
    const browser = new Browser();
    return new URL((await browser.get(await toCallback(browser, provider, account, more))).location);
  };
  const tokenCalls = () => sandbox.control.ledger({ kind: 'request' }).filter(({ endpoint }) => endpoint === 'oauth.v2.access' || endpoint === 'oauth.token').length;

  it('connects an account with consent and shows the connection without a secret', async () => {
    const back = await connect('chat', 'T_ONE');
    expect(back.origin + back.pathname).toBe(APP);
    expect(back.searchParams.get('success')).toBe('chat');
    const id = back.searchParams.get('connection') as string;
    const { status, body } = await call('GET', `/v1/connections/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id,
      provider: 'chat',
      status: 'connected',
      connected: true,
      account: { id: 'T_ONE', name: expect.any(String) },
      scopes: expect.arrayContaining(['chat:write', 'users:read']),
      lastSync: null,
      syncInProgress: false,
      error: null,
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(tokenCalls()).toBe(1);
    const everything = await everythingIn(app.app.get(DataSource));
    expect(everything).toContain(id);
    expect(everything).not.toMatch(/xox[bpe]/);
  });

  it('asks the provider as its facts say: state, PKCE S256, scopes and our own address', async () => {
    const { location } = await new Browser().get(await session('chat', { scopes: ['files:read'] }));
    const query = new URL(location).searchParams;
    expect(query.get('scope')).toBe('files:read');
    expect(query.get('user_scope')).toBe('users:read');
    expect(query.get('code_challenge_method')).toBe('S256');
    expect(query.get('state')).toMatch(/^[\w-]{43}$/);
    expect(query.get('redirect_uri')).toBe(`${app.url}/auth/chat/callback`);
    expect(location).not.toContain('client_secret');
  });

  it('takes the redirect address from PUBLIC_URL whatever Host and X-Forwarded headers say', async () => {
    const { location } = await new Browser().get(await session('chat'), { 'x-forwarded-host': 'evil.com', 'x-forwarded-proto': 'https', forwarded: 'host=evil.com' });
    expect(new URL(location).searchParams.get('redirect_uri')).toBe(`${app.url}/auth/chat/callback`);
  });

  it('sets a cookie that scripts and other sites cannot use', async () => {
    const browser = new Browser();
    await browser.get(await session('chat'));
    expect(browser.setCookies[0]).toMatch(/^trestle_connect=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  });

  it('refuses to start without a session, with a made-up or used one, in a frame, or by HEAD', async () => {
    const browser = new Browser();
    for (const query of ['', '?session=', '?session=nonsense', `?session=${'a'.repeat(43)}`, '?session=a&session=b']) {
      const { status, text } = await browser.get(`${app.url}/connect/chat${query}`);
      expect(status).toBe(401);
      expect(text).toContain('<h1>');
    }
    const url = await session('chat');
    expect((await browser.get(url, { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await browser.get(url.replace('/connect/chat', '/connect/mail'))).status).toBe(401);
    const fresh = await session('chat');
    expect((await fetch(fresh, { method: 'HEAD', redirect: 'manual' })).status).toBeGreaterThanOrEqual(400);
    expect((await browser.get(fresh)).status).toBe(302);
    expect((await browser.get(fresh)).status).toBe(401);
  });

  it('gives a session to one of ten browsers that come at once', async () => {
    const url = await session('chat');
    const answers = await Promise.all(Array.from({ length: 10 }, () => new Browser().get(url)));
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
  });

  it('shows a page, and calls nobody, for a callback without a state that is ours', async () => {
    const browser = new Browser();
    const good = new URL(await toCallback(browser, 'chat', 'T_A14'));
    const state = good.searchParams.get('state') as string;
    for (const query of ['', '?code=c', '?state=s', `?code=c&state=${'b'.repeat(43)}`, '?error=access_denied', `?state=${state}`, `?code=a&code=b&state=${state}`, `?code=a&error=b&state=${state}`]) {
      const answer = await browser.get(`${app.url}/auth/chat/callback${query}`);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect(tokenCalls()).toBe(0);
    expect((await browser.get(good.href)).location).toContain('success=chat'); // none of these used the state up
    expect((await browser.get(good.href)).status).toBe(400); // but this did
    expect(tokenCalls()).toBe(1);
  });

  it('refuses a state that has expired', async () => {
    const browser = new Browser();
    const callback = await toCallback(browser, 'chat', 'T_LATE');
    await app.app.get(DataSource).query(`UPDATE oauth_states SET expires_at = now() - interval '1 second'`);
    expect((await browser.get(callback)).status).toBe(400);
    expect(tokenCalls()).toBe(0);
  });

  it("refuses another browser, and the attacker's own callback connects nothing there", async () => {
    const callback = await toCallback(new Browser(), 'chat', 'T_ATTACKER');
    const victim = new Browser();
    await victim.get(await session('chat'));
    expect((await victim.get(callback)).status).toBe(400);
    expect((await new Browser().get(callback)).status).toBe(400);
    expect(tokenCalls()).toBe(0);
    const { body } = await call('GET', '/v1/connections?provider=chat', undefined, admin);
    expect(JSON.stringify(body)).not.toContain('T_ATTACKER');
  });

  it('refuses a state at the callback of another provider', async () => {
    const browser = new Browser();
    const callback = await toCallback(browser, 'chat', 'T_MIX');
    expect((await browser.get(callback.replace('/auth/chat/', '/auth/mail/'))).status).toBe(400);
    expect(tokenCalls()).toBe(0);
  });

  it('exchanges a code once for ten callbacks at the same time', async () => {
    const browser = new Browser();
    const callback = await toCallback(browser, 'chat', 'T_TEN');
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.get(callback)));
    expect(answers.map(({ status }) => status).sort()).toEqual([302, ...Array.from({ length: 9 }, () => 400)]);
    expect(tokenCalls()).toBe(1);
  });

  it('is safe from the code of another flow, by PKCE', async () => {
    const stolen = new URL(await toCallback(new Browser(), 'chat', 'T_VICTIM')).searchParams.get('code') as string;
    const browser = new Browser();
    const own = new URL(await toCallback(browser, 'chat', 'T_MINE'));
    own.searchParams.set('code', stolen);
    const back = new URL((await browser.get(own.href)).location);
    expect(back.searchParams.get('error')).toBe('connect_failed');
    const { body } = await call('GET', '/v1/connections?provider=chat', undefined, admin);
    expect(JSON.stringify(body)).not.toContain('T_VICTIM');
  });

  it('takes the issuer that belongs to the provider, and refuses another', async () => {
    const browser = new Browser();
    const good = new URL(await toCallback(browser, 'mail', 'iss@acme.test'));
    expect(good.searchParams.get('iss')).toBe('https://accounts.google.com');
    const bad = new URL(await toCallback(browser, 'mail', 'iss@acme.test'));
    bad.searchParams.set('iss', 'https://evil.example');
    expect((await browser.get(bad.href)).status).toBe(400);
    expect(tokenCalls()).toBe(0);
    expect((await browser.get(good.href)).location).toContain('success=mail');
  });

  it('believes a refusal only with its state, uses it up, and sends the caller a code', async () => {
    const browser = new Browser();
    const callback = await consent((await browser.get(await session('chat'))).location, 'T_NO', 'deny');
    expect((await new Browser().get(callback.replace(/state=[^&]+/, `state=${'c'.repeat(43)}`))).status).toBe(400);
    expect((await browser.get(callback)).location).toBe(`${APP}?error=connect_denied`);
    expect((await browser.get(callback)).status).toBe(400);
  });

  it('never shows what a stranger wrote into the callback', async () => {
    const { text } = await new Browser().get(`${app.url}/auth/chat/callback?error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=x`);
    expect(text).not.toContain('<script');
    expect(text).not.toContain('alert(1)');
  });

  it.each([
    ['a server error', { kind: 'status', status: 500 } as const, 'provider_unavailable'],
    ['HTML', { kind: 'html-200' } as const, 'provider_bad_answer'],
    ['a wrong client secret', { kind: 'status', status: 400, body: { error: 'invalid_client' } } as const, 'provider_misconfigured'],
  ])('comes back with a code after %s at the token endpoint, and connects nothing', async (_, fault, code) => {
    sandbox.control.addFault({ ...fault, endpoint: 'oauth.token' });
    const back = await connect('mail', `${code}@acme.test`);
    expect(back.searchParams.get('error')).toBe(code);
    expect(back.searchParams.get('connection')).toBeNull();
  });

  it('refuses addresses to return to that are not allowed', async () => {
    for (const returnTo of ['//evil.com', '/\\evil.com', 'https:evil.com', '%2f%2fevil.com', 'https://app.example.com@evil.com', 'https://app.example.com\r\nx: y']) {
      const { status, body } = await call('POST', '/v1/connect-sessions', { provider: 'chat', returnTo });
      expect([status, body['code']]).toEqual([400, 'invalid_return_to']);
    }
  });

  it('refuses what it does not know', async () => {
    expect((await call('POST', '/v1/connect-sessions', { provider: 'nobody' })).body).toMatchObject({ status: 404, code: 'provider_unknown' });
    expect((await call('POST', '/v1/connect-sessions', { provider: 'pay' })).body).toMatchObject({ status: 422, code: 'not_supported' });
    expect((await call('POST', '/v1/connect-sessions', { provider: 'chat', tenant: 'other' })).body).toMatchObject({ status: 400, code: 'invalid_request' });
    expect((await call('POST', '/v1/connect-sessions', { provider: 'chat', scopes: ['a b'] })).status).toBe(400);
    expect((await fetch(`${app.url}/v1/connect-sessions`, { method: 'POST' })).status).toBe(401);
    expect((await new Browser().get(`${app.url}/connect/nobody`)).status).toBe(404);
  });

  it('makes one connection good again when the same account connects anew, and keeps its id', async () => {
    const first = (await connect('mail', 'again@acme.test')).searchParams.get('connection');
    await call('DELETE', `/v1/connections/${first}`);
    const second = (await connect('mail', 'again@acme.test')).searchParams.get('connection');
    expect(second).toBe(first);
    expect((await call('GET', `/v1/connections/${first}`)).body).toMatchObject({ status: 'connected', error: null });
  });

  it('refuses another account in place of the one to reconnect, and leaves it as it was', async () => {
    const id = (await connect('mail', 'right@acme.test')).searchParams.get('connection') as string;
    expect((await connect('mail', 'wrong@acme.test', { connectionId: id })).searchParams.get('error')).toBe('account_mismatch');
    expect((await connect('mail', 'right@acme.test', { connectionId: id })).searchParams.get('connection')).toBe(id);
    const { body } = await call('GET', '/v1/connections?provider=mail', undefined, admin);
    expect(JSON.stringify(body)).not.toContain('wrong@acme.test');
  });

  it("answers another tenant's id like a missing one", async () => {
    const id = (await connect('mail', 'mine@acme.test')).searchParams.get('connection') as string;
    const missing = await call('GET', '/v1/connections/00000000-0000-7000-8000-000000000000', undefined, other);
    for (const [method, path, body] of [['GET', `/v1/connections/${id}`], ['DELETE', `/v1/connections/${id}`], ['POST', '/v1/connect-sessions', { provider: 'mail', connectionId: id }]] as const) {
      const answer = await call(method, path, body, other);
      expect({ ...answer.body, requestId: '' }).toEqual({ ...missing.body, requestId: '' });
    }
    expect((await call('GET', '/v1/connections', undefined, other)).body).toEqual({ data: [], nextCursor: null });
    expect((await call('GET', `/v1/connections/${id}`, undefined, admin)).status).toBe(200);
    expect((await call('GET', `/v1/connections/${id}`)).body).toMatchObject({ connected: true });
  });

  it('lists page by page', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await call('GET', `/v1/connections?limit=2${cursor ? `&cursor=${cursor}` : ''}`, undefined, admin);
      seen.push(...body['data'].map(({ id }: { id: string }) => id));
      cursor = body['nextCursor'];
    } while (cursor);
    const all = (await call('GET', '/v1/connections', undefined, admin)).body['data'].map(({ id }: { id: string }) => id);
    expect(seen).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
    expect((await call('GET', '/v1/connections?cursor=nonsense')).body).toMatchObject({ status: 400, code: 'invalid_cursor' });
  });

  it('tells what providers there are', async () => {
    const { body } = await call('GET', '/v1/providers');
    expect(body['data']).toEqual(
      expect.arrayContaining([
        { key: 'chat', name: 'chat', authType: 'oauth2', configured: true, scopes: ['chat:write', 'channels:read'], capabilities: { sync: false, webhooks: false, actions: false } },
        { key: 'pay', name: 'pay', authType: 'api_key', configured: true, scopes: [], capabilities: { sync: false, webhooks: false, actions: false } },
      ]),
    );
    expect(JSON.stringify(body)).not.toContain('ecret');
  });

  it('connects with a key after one real call, and refuses one that the provider does not take', async () => {
    const key = sandbox.control.createStripeKey();
    const { status, body } = await call('POST', '/v1/connections', { provider: 'pay', apiKey: ` ${key}\n` });
    expect(status).toBe(201);
    expect(body).toMatchObject({ provider: 'pay', connected: true });
    expect(JSON.stringify(body)).not.toContain(key);
    expect(sandbox.control.ledger({ kind: 'request', endpoint: 'account.retrieve' })).toHaveLength(1);
    expect(await everythingIn(app.app.get(DataSource))).not.toContain(key);

    expect((await call('POST', '/v1/connections', { provider: 'pay', apiKey: 'rk_test_wrong' })).body).toMatchObject({ status: 422, code: 'credentials_rejected' });
    sandbox.control.clearLedger();
    expect((await call('POST', '/v1/connections', { provider: 'pay', apiKey: 'sk_live_pasted_by_mistake' })).body).toMatchObject({ status: 422, nextStep: 'Make a restricted key in the dashboard.' });
    expect(sandbox.control.ledger({ kind: 'request' })).toHaveLength(0);
    expect((await call('POST', '/v1/connections', { provider: 'chat', apiKey: 'x' })).body).toMatchObject({ status: 422, code: 'not_supported' });
  });

  it('disconnects: revoked at the provider, secrets gone, and a second time harmless', async () => {
    const id = (await connect('mail', 'bye@acme.test')).searchParams.get('connection');
    expect(await call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: true } });
    expect(await app.app.get(DataSource).query('SELECT 1 FROM tokens WHERE connection_id = $1', [id])).toEqual([]);
    expect((await call('GET', `/v1/connections/${id}`)).body).toMatchObject({ status: 'disconnected', connected: false });
    expect(await call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: false } });
    expect(sandbox.control.ledger({ kind: 'request', endpoint: 'oauth.revoke' })).toHaveLength(1);
  });

  it('destroys the secrets also where the provider cannot be reached', async () => {
    const id = (await connect('mail', 'down@acme.test')).searchParams.get('connection');
    sandbox.control.addFault({ kind: 'reset', endpoint: 'oauth.revoke' });
    expect(await call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: false } });
    expect(await app.app.get(DataSource).query('SELECT 1 FROM tokens WHERE connection_id = $1', [id])).toEqual([]);
  });

  it('keeps no code, verifier, state or session readable', async () => {
    const browser = new Browser();
    const url = await session('mail');
    const callback = new URL(await consent((await browser.get(url)).location, 'grep@acme.test'));
    const secrets = [new URL(url).searchParams.get('session'), callback.searchParams.get('state'), callback.searchParams.get('code'), browser.setCookies[0]?.slice('trestle_connect='.length, 58)];
    const unused = new URL(await session('mail')).searchParams.get('session');
    const everything = await everythingIn(app.app.get(DataSource));
    for (const secret of [...secrets, unused]) {
      expect(secret?.length).toBeGreaterThan(20);
      expect(everything).not.toContain(secret);
    }
  });
});
