import { FLOW_LIFE_MS } from './connect.service';
import { Browser, connectFixture, RETURN_TO, type ConnectFixture } from './testing/connect-fixture';

describe('Connecting', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  it('connects an account with consent and shows the connection without a secret', async () => {
    const back = await fixture.connect('chat', 'T_ONE');
    expect(back.origin + back.pathname).toBe(RETURN_TO);
    expect(back.searchParams.get('success')).toBe('chat');
    const id = back.searchParams.get('connection') as string;
    const { status, body } = await fixture.call('GET', `/v1/connections/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id,
      provider: 'chat',
      mayManage: true,
      parts: [],
      owner: 'user',
      userId: 'u1',
      policy: null,
      status: 'connected',
      connected: true,
      account: { id: 'T_ONE', name: expect.any(String) },
      missingScopes: [],
      partial: false,
      scopes: expect.arrayContaining(['chat:write', 'user:users:read']),
      lastSync: null,
      syncInProgress: false,
      error: null,
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(fixture.tokenCalls()).toBe(1);
    const everything = await fixture.everything();
    expect(everything).toContain(id);
    expect(everything).not.toMatch(/xox[bpe]/);
  });

  it('asks the provider as its facts say: state, PKCE S256, scopes and our own address', async () => {
    const { location } = await new Browser().press(await fixture.session('chat', { scopes: ['files:read'] }));
    const query = new URL(location).searchParams;
    expect(query.get('scope')).toBe('files:read');
    expect(query.get('user_scope')).toBe('users:read');
    expect(query.get('code_challenge_method')).toBe('S256');
    expect(query.get('state')).toMatch(/^[\w-]{43}$/);
    expect(query.get('redirect_uri')).toBe(`${fixture.app.url}/auth/chat/callback`);
    expect(location).not.toContain('client_secret');
  });

  it('takes the redirect address from PUBLIC_URL whatever Host and X-Forwarded headers say', async () => {
    const { location } = await new Browser().press(await fixture.session('chat'), {
      'x-forwarded-host': 'evil.com',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.com',
    });
    expect(new URL(location).searchParams.get('redirect_uri')).toBe(`${fixture.app.url}/auth/chat/callback`);
  });

  it('sets a cookie that scripts and other sites cannot use', async () => {
    const browser = new Browser();
    await browser.get(await fixture.session('chat'));
    expect(browser.setCookies[0]).toMatch(/^trestle_connect=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  });

  it('refuses to start without a session, with a made-up or used one, in a frame, or by HEAD', async () => {
    const browser = new Browser();
    for (const query of ['', '?session=', '?session=nonsense', `?session=${'a'.repeat(43)}`, '?session=a&session=b']) {
      const { status, text } = await browser.get(`${fixture.app.url}/connect/chat${query}`);
      expect(status).toBe(401);
      expect(text).toContain('<h1>');
    }
    const url = await fixture.session('chat');
    expect((await browser.get(url, { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await browser.get(url.replace('/connect/chat', '/connect/mail'))).status).toBe(401);
    const fresh = await fixture.session('chat');
    expect((await fetch(fresh, { method: 'HEAD', redirect: 'manual' })).status).toBeGreaterThanOrEqual(400);
    expect((await browser.press(fresh)).status).toBe(302);
    expect((await browser.get(fresh)).status).toBe(401);
  });

  it('gives a session to one of ten browsers that come at once', async () => {
    const url = await fixture.session('chat');
    const answers = await Promise.all(Array.from({ length: 10 }, () => new Browser().press(url)));
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
  });

  it('shows a page, and calls nobody, for a callback without a state that is ours', async () => {
    const browser = new Browser();
    const good = new URL(await fixture.toCallback(browser, 'chat', 'T_A14'));
    const state = good.searchParams.get('state') as string;
    for (const query of [
      '',
      '?code=c',
      '?state=s',
      `?code=c&state=${'b'.repeat(43)}`,
      '?error=access_denied',
      `?state=${state}`,
      `?code=a&code=b&state=${state}`,
      `?code=a&error=b&state=${state}`,
    ]) {
      const answer = await browser.get(`${fixture.app.url}/auth/chat/callback${query}`);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect(fixture.tokenCalls()).toBe(0);
    expect((await browser.get(good.href)).location).toContain('success=chat'); // none of these used the state up
    expect((await browser.get(good.href)).status).toBe(400); // but this did
    expect(fixture.tokenCalls()).toBe(1);
  });

  it('refuses a state that has expired', async () => {
    const browser = new Browser();
    const callback = await fixture.toCallback(browser, 'chat', 'T_LATE');
    fixture.clock.advance(FLOW_LIFE_MS);
    expect((await browser.get(callback)).status).toBe(400);
    expect(fixture.tokenCalls()).toBe(0);
  });

  it("refuses another browser, and the attacker's own callback connects nothing there", async () => {
    const callback = await fixture.toCallback(new Browser(), 'chat', 'T_ATTACKER');
    const victim = new Browser();
    await victim.press(await fixture.session('chat'));
    expect((await victim.get(callback)).status).toBe(400);
    expect((await new Browser().get(callback)).status).toBe(400);
    expect(fixture.tokenCalls()).toBe(0);
    const { body } = await fixture.call('GET', '/v1/connections?provider=chat', undefined, fixture.tokens.admin);
    expect(JSON.stringify(body)).not.toContain('T_ATTACKER');
  });

  it('refuses a state at the callback of another provider', async () => {
    const browser = new Browser();
    const callback = await fixture.toCallback(browser, 'chat', 'T_MIX');
    expect((await browser.get(callback.replace('/auth/chat/', '/auth/mail/'))).status).toBe(400);
    expect(fixture.tokenCalls()).toBe(0);
  });

  it('exchanges a code once for ten callbacks at the same time', async () => {
    const browser = new Browser();
    const callback = await fixture.toCallback(browser, 'chat', 'T_TEN');
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.get(callback)));
    expect(answers.map(({ status }) => status).sort()).toEqual([302, ...Array.from({ length: 9 }, () => 400)]);
    expect(fixture.tokenCalls()).toBe(1);
  });

  it('is safe from the code of another flow, by PKCE', async () => {
    const stolen = new URL(await fixture.toCallback(new Browser(), 'chat', 'T_VICTIM')).searchParams.get('code') as string;
    const browser = new Browser();
    const own = new URL(await fixture.toCallback(browser, 'chat', 'T_MINE'));
    own.searchParams.set('code', stolen);
    const back = new URL((await browser.get(own.href)).location);
    expect(back.searchParams.get('error')).toBe('connect_failed');
    const { body } = await fixture.call('GET', '/v1/connections?provider=chat', undefined, fixture.tokens.admin);
    expect(JSON.stringify(body)).not.toContain('T_VICTIM');
  });

  it('takes the issuer that belongs to the provider, and refuses another', async () => {
    const browser = new Browser();
    const good = new URL(await fixture.toCallback(browser, 'mail', 'iss@acme.test'));
    expect(good.searchParams.get('iss')).toBe('https://accounts.google.com');
    const bad = new URL(await fixture.toCallback(browser, 'mail', 'iss@acme.test'));
    bad.searchParams.set('iss', 'https://evil.example');
    expect((await browser.get(bad.href)).status).toBe(400);
    expect(fixture.tokenCalls()).toBe(0);
    expect((await browser.get(good.href)).location).toContain('success=mail');
  });

  it('believes a refusal only with its state, uses it up, and sends the caller a code', async () => {
    const browser = new Browser();
    const callback = await fixture.consent((await browser.press(await fixture.session('chat'))).location, 'T_NO', 'deny');
    expect((await new Browser().get(callback.replace(/state=[^&]+/, `state=${'c'.repeat(43)}`))).status).toBe(400);
    expect((await browser.get(callback)).location).toBe(`${RETURN_TO}?error=connect_denied`);
    expect((await browser.get(callback)).status).toBe(400);
  });

  it.each([
    ['admin_policy_enforced', 'organization_forbids'],
    ['invalid_client', 'provider_misconfigured'],
    ['a_code_of_tomorrow', 'connect_failed'],
  ])('says whose it is to act where the provider comes back with %s', async (error, code) => {
    const browser = new Browser();
    const callback = new URL(await fixture.consent((await browser.press(await fixture.session('mail'))).location, 'no@acme.test', 'deny'));
    callback.searchParams.set('error', error);
    expect((await browser.get(callback.href)).location).toBe(`${RETURN_TO}?error=${code}`);
  });

  it('never shows what a stranger wrote into the callback', async () => {
    const { text } = await new Browser().get(
      `${fixture.app.url}/auth/chat/callback?error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=x`,
    );
    expect(text).not.toContain('<script');
    expect(text).not.toContain('alert(1)');
  });

  it.each([
    ['a server error', { kind: 'status', status: 500 } as const, 'provider_unavailable'],
    ['HTML', { kind: 'html-200' } as const, 'provider_bad_answer'],
    ['a wrong client secret', { kind: 'status', status: 400, body: { error: 'invalid_client' } } as const, 'provider_misconfigured'],
  ])('comes back with a code after %s at the token endpoint, and connects nothing', async (_, fault, code) => {
    fixture.sandbox.control.addFault({ ...fault, endpoint: 'oauth.token' });
    const back = await fixture.connect('mail', `${code}@acme.test`);
    expect(back.searchParams.get('error')).toBe(code);
    expect(back.searchParams.get('connection')).toBeNull();
  });

  it('refuses addresses to return to that are not allowed', async () => {
    for (const returnTo of [
      '//evil.com',
      '/\\evil.com',
      'https:evil.com',
      '%2f%2fevil.com',
      'https://app.example.com@evil.com',
      'https://app.example.com\r\nx: y',
    ]) {
      const { status, body } = await fixture.call('POST', '/v1/connect-sessions', { provider: 'chat', returnTo });
      expect([status, body['code']]).toEqual([400, 'invalid_return_to']);
    }
  });

  it('keeps no code, verifier, state or session readable', async () => {
    const browser = new Browser();
    const url = await fixture.session('mail');
    const callback = new URL(await fixture.consent((await browser.press(url)).location, 'grep@acme.test'));
    const secrets = [
      new URL(url).searchParams.get('session'),
      callback.searchParams.get('state'),
      callback.searchParams.get('code'),
      browser.setCookies[0]?.slice('trestle_connect='.length, 58),
    ];
    const unused = new URL(await fixture.session('mail')).searchParams.get('session');
    const everything = await fixture.everything();
    for (const secret of [...secrets, unused]) {
      expect(secret?.length).toBeGreaterThan(20);
      expect(everything).not.toContain(secret);
    }
  });
});
