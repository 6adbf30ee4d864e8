import { formOn, signInLinkOf } from '../../../demo/http-client';
import { Browser, connectFixture, type ConnectFixture } from './testing/connect-fixture';

describe('The connect page', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());

  const signedIn = async (user: string, tenant = 'acme') => {
    const browser = new Browser();
    await browser.get(await signInLinkOf(fixture.app.url, await fixture.app.tokenFor({ tenant, user })));
    return browser;
  };

  it('names provider, user, organization and scopes in words, and runs without a script', async () => {
    const url = await fixture.session('slack', { display: { user: 'Ada <i>L</i>', organization: 'Acme Inc.' } });
    const { status, text, headers } = await new Browser().get(url);
    expect(status).toBe(200);
    for (const part of ['Connect Slack', '(u1)', '(acme)', 'Ada &#60;i&#62;L', 'Acme Inc.', 'Send messages as the app'])
      expect(text).toContain(part);
    expect(text).toContain('<use href="/ui/icons.svg#slack" />');
    expect(text).not.toContain('<script');
    expect(text.match(/<form/g)).toHaveLength(1);
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self' https:"]) expect(policy).toContain(part);
    expect([headers.get('cache-control'), headers.get('referrer-policy'), headers.get('x-frame-options')]).toEqual([
      'no-store',
      'same-origin',
      'DENY',
    ]);
  });

  it('names a scope by itself where there are no words for it', async () => {
    const { text } = await new Browser().get(await fixture.session('slack', { scopes: ['reactions:write', 'chat:write'] }));
    expect(text).toContain('<li>reactions:write</li>');
    expect(text).toContain('<li>Send messages as the app</li>');
    expect(text).not.toContain('public channels');
  });

  it('is made for scopes that the facts name or the operator’s setting allows, and for no others', async () => {
    for (const [provider, scopes, status] of [
      ['slack', ['chat:write', 'reactions:write'], 201],
      ['slack', ['chat:write', 'admin'], 403],
      ['google', ['https://www.googleapis.com/auth/drive'], 403],
      ['stripe', ['read_write'], 201],
    ] as const) {
      const answer = await fixture.call('POST', '/v1/connect-sessions', { provider, scopes });
      expect([provider, scopes, answer.status]).toEqual([provider, scopes, status]);
      if (status === 403) expect(answer.body['code']).toBe('scope_not_allowed');
    }
  });

  it('is looked at as often as one likes; its button works once', async () => {
    const url = await fixture.session('chat');
    expect((await new Browser().get(url)).text).toContain('class="sign monogram'); // no icon is known of it
    for (let scans = 0; scans < 3; scans++) expect((await new Browser().get(url)).status).toBe(200);
    const browser = new Browser();
    const pressed = await browser.press(url);
    expect([pressed.status, new URL(pressed.location).origin]).toEqual([302, fixture.sandbox.urls.slack]);
    expect((await browser.press(url)).status).toBe(401);
  });

  it('takes its form from the browser that was shown it, from our own page, and from nobody else', async () => {
    const url = await fixture.session('chat');
    const shown = new Browser();
    const { action, fields } = formOn((await shown.get(url)).text);
    const to = new URL(action, url).href;
    const post = (browser: Browser, more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
      browser.send(to, { method: 'POST', headers, body: new URLSearchParams({ ...fields, ...more }) });
    // Somebody else's page knows the link, and even a form that its maker was shown; the victim's browser has another cookie, or none.
    const victim = new Browser();
    expect((await post(victim)).status).toBe(403);
    await victim.get(await fixture.session('chat'));
    expect((await post(victim)).status).toBe(403);
    expect((await post(shown, { confirm: '' })).status).toBe(403);
    expect((await post(shown, {}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await post(shown, {}, { origin: 'null' })).status).toBe(403);
    expect((await post(shown, {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post(shown, {}, { 'sec-fetch-dest': 'iframe' })).status).toBe(403);
    expect((await post(shown, { session: 'x' })).status).toBe(401);
    expect((await post(shown, {}, { origin: fixture.app.url, 'sec-fetch-site': 'same-origin' })).status).toBe(302);
  });

  it('lets the very user who is signed in here go on at once, but not by a link of another site', async () => {
    const browser = await signedIn('u1');
    expect((await browser.get(await fixture.session('chat'), { 'sec-fetch-site': 'same-origin' })).status).toBe(302);
    for (const site of ['cross-site', 'none', 'same-site', 'anything'])
      expect((await browser.get(await fixture.session('chat'), { 'sec-fetch-site': site })).status).toBe(200);
  });

  it('asks a browser that does not say where it comes from, signed in or not', async () => {
    // Two links of a stranger: the first signs the browser in as the stranger, the second would connect the victim's account for the stranger.
    const browser = await signedIn('u1');
    const url = await fixture.session('chat');
    const { status, text, location } = await browser.get(url);
    expect([status, location]).toEqual([200, '']);
    expect(formOn(text).action).toBe('/connect/chat');
    expect((await browser.press(url)).status).toBe(302);
  });

  it('refuses the browser of another user, and uses nothing up', async () => {
    const url = await fixture.session('chat');
    for (const browser of [await signedIn('u2'), await signedIn('u1', 'other')]) {
      const { status, text } = await browser.get(url);
      expect(status).toBe(403);
      expect(text).toContain('This link is not yours');
      expect(text).toContain('action="/session/logout"');
      expect(formOn(text).action).toBe('/session/logout');
    }
    // Signed in meanwhile, in another tab: the button is refused as well.
    const late = new Browser();
    const { action, fields } = formOn((await late.get(url)).text);
    await late.get(await signInLinkOf(fixture.app.url, await fixture.app.tokenFor({ tenant: 'acme', user: 'u2' })));
    expect((await late.send(new URL(action, url).href, { method: 'POST', body: new URLSearchParams(fields) })).status).toBe(403);
    expect((await new Browser().press(url)).status).toBe(302);
  });

  it.each(['/session?code=x', '/connect/slack?session=x', '/auth/slack/callback', '/%73ession', '/CONNECT/x', '/x/../auth/slack'])(
    'leads nobody back to %s',
    async (returnTo) => {
      for (const address of [returnTo, `${fixture.app.url}${returnTo}`]) {
        const { status, body } = await fixture.call('POST', '/v1/connect-sessions', { provider: 'slack', returnTo: address });
        expect([address, status, body['code']]).toEqual([address, 400, 'invalid_return_to']);
      }
    },
  );
});
