import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PlainSandbox } from '../../sandbox/plain/plain-sandbox';
import { clockify } from '../../src/providers/plain/clockify';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { pictures } from './looks';

const ROOT = join(__dirname, '../..');
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
interface Example {
  createProduct(options: { trestleUrl: string; secret: string; user?: string; organization?: boolean }): Handler;
}
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const FINDINGS = `axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))`;
const REFUSALS = `window.refused = []; document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => refused.push(violatedDirective + ' ' + blockedURI));`;

jest.setTimeout(180_000);

/** `examples/embed`, as it is built for production, on an origin of its own. */
describeInBrowser('a product that embeds its integrations', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let product: string;
  let server: Server;
  let handle: Handler;
  /** Connected with a key, and with nothing else. */
  let keyed: PlainSandbox;
  let gate: Server;
  let users = 0;
  let user: string;
  const faults: string[] = [];

  beforeAll(async () => {
    run('packages/embed/build.mjs');
    run('node_modules/vite/bin/vite.js', 'build', 'examples/embed', '--logLevel', 'error');
    server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    product = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gate = createServer(cutOff);
    await new Promise<void>((done) => gate.listen(0, '127.0.0.1', done));
    keyed = await PlainSandbox.start([clockify]);
    pages = await startPages({
      ...keyed.env(),
      BROWSER_ORIGINS: product,
      GOOGLE_AUTHORIZE_URL: `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`,
    });
    browser = await launchBrowser({ blocksPopUps: true });
  });
  beforeEach(async () => {
    user = `ada-${++users}`;
    serve({});
    context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
    await page.addInitScript(REFUSALS);
    page.on('pageerror', (error) => faults.push(error.message));
  });
  afterEach(async () => {
    expect(await page.evaluate('window.refused')).toEqual([]);
    expect(faults.splice(0)).toEqual([]);
    await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await keyed?.stop();
    server?.close();
    gate?.close();
  });

  function run(...args: string[]): void {
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect([status, status === 0 ? '' : stderr + stdout]).toEqual([0, '']);
  }
  /** A page of a provider's that leaves nothing of whoever opened its window. */
  function cutOff({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const to = `${pages.sandbox.env()['GOOGLE_AUTHORIZE_URL']}?${url.split('?')[1]}`.replaceAll('&', '&amp;');
    response.setHeader('content-type', 'text/html').setHeader('cross-origin-opener-policy', 'same-origin');
    response.end(`<title>Consent</title><a href="${to}">Go on</a>`);
  }
  /** The product, with a person of its own for each test. */
  function serve({ trestleUrl = pages.url, organization = false }: { trestleUrl?: string; organization?: boolean }): void {
    const { createProduct } = jest.requireActual<Example>('../../examples/embed/server.cjs');
    handle = createProduct({ trestleUrl, secret: pages.app.settings.apiJwtSecret ?? '', user, organization });
  }
  const card = (name: string) => page.locator('#integrations').getByRole('group', { name, exact: true });
  /** Leaves a picture of each look. */
  const look = (name: string) => pictures(page, `embed-${name}`);
  const happened = (text: string) => page.locator('#events li', { hasText: text }).first().waitFor();
  const open = async () => {
    await page.goto(product);
    await card('Slack').getByRole('button', { name: 'Connect Slack' }).waitFor();
  };
  const popUpOf = async (click: () => Promise<void>) => (await Promise.all([context.waitForEvent('page'), click()]))[0];
  const decide = async (popup: Page, decision: 'Allow' | 'Deny') => {
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: /^Go on to/ }).click();
    await popup.getByRole('button', { name: decision }).click();
    await closed;
  };
  const connectSlack = async () => {
    const popup = await popUpOf(() => card('Slack').getByRole('button', { name: 'Connect Slack' }).click());
    await decide(popup, 'Allow');
    await card('Slack').getByText('Connected', { exact: true }).waitFor();
  };

  it('connects in a window, shows it as it happens, and ends it', async () => {
    await open();
    await connectSlack();
    await happened('connected slack');
    await happened('sync slack');
    await card('Slack')
      .getByText(/^Last synced/)
      .waitFor();
    // The hooks beside it know as well, by the same stream.
    await page
      .locator('#hooks')
      .getByText(/Slack: .+, connected/)
      .waitFor();
    // What happens elsewhere shows here.
    const token = await pages.app.tokenFor({ tenant: 'acme', user });
    const api = (path: string, method = 'GET') => fetch(pages.url + path, { method, headers: { authorization: `Bearer ${token}` } });
    const { data } = (await (await api('/v1/connections')).json()) as { data: { id: string; provider: string; userId: string }[] };
    expect(data).toMatchObject([{ provider: 'slack', userId: user }]);
    await card('Slack')
      .getByRole('button', { name: /^Sync now/ })
      .click();
    await card('Slack')
      .getByRole('button', { name: /^Disconnect/ })
      .click();
    await card('Slack')
      .getByText(/The access ends at once/)
      .waitFor();
    await page.keyboard.press('Escape');
    await card('Slack')
      .getByRole('button', { name: /^Disconnect/ })
      .click();
    await card('Slack').getByRole('button', { name: 'Disconnect', exact: true }).click();
    await card('Slack').getByText('Not connected').waitFor();
    await happened('disconnected slack');
    await page.locator('#hooks').getByRole('button', { name: 'Bring in Slack' }).waitFor();
  });

  it('shows within a moment what happens elsewhere', async () => {
    await open();
    await connectSlack();
    const token = await pages.app.tokenFor({ tenant: 'acme', user });
    const headers = { authorization: `Bearer ${token}` };
    const { data } = (await (await fetch(`${pages.url}/v1/connections`, { headers })).json()) as { data: { id: string }[] };
    await fetch(`${pages.url}/v1/connections/${data[0]?.id}`, { method: 'DELETE', headers });
    await card('Slack').getByText('Not connected').waitFor();
  });

  it('shows what is the organization’s where the token opens it, and lets those who may look after it do so', async () => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    const api = async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
      const answer = await fetch(pages.url + path, { method, headers, body: JSON.stringify(body) });
      return (await answer.json()) as { id: string };
    };
    const apiKey = String(pages.sandbox.control.change('stripe', 'keys', { account: 'acct_1ForTheEmbed' })['key']);
    const { id } = await api('POST', '/v1/connections', { provider: 'stripe', apiKey, owner: 'organization' });
    await open();
    await card('Stripe').getByText('Not connected').waitFor();
    serve({ organization: true });
    await open();
    const account = card('Stripe').getByRole('group');
    await account.getByText('Your organization’s: everybody in it can work with it. Its administrators look after it.').waitFor();
    await account.getByRole('button', { name: /^Sync now/ }).waitFor();
    expect(await account.getByRole('button', { name: /^Disconnect/ }).count()).toBe(0);
    await look('organization');
    await api('PATCH', `/v1/connections/${id}`, { policy: { managedBy: 'all' } });
    await account.getByRole('button', { name: /^Disconnect/ }).click();
    await account.getByText(/for the whole organization\?/).waitFor();
    await account.getByRole('button', { name: 'Disconnect', exact: true }).click();
    await card('Stripe').getByText('Not connected').waitFor();
    await happened('disconnected stripe');
  });

  it('asks for another key where one has ended, and mends that connection with it', async () => {
    const apiKey = keyed.world('clockify').key;
    await open();
    await page.evaluate(`document.querySelector('#integrations').providers = 'clockify'`);
    await card('Clockify').getByRole('button', { name: 'Connect Clockify' }).click();
    await card('Clockify').getByLabel('Clockify key').fill(apiKey);
    await page.keyboard.press('Enter');
    await card('Clockify').getByText('Connected', { exact: true }).waitFor();
    await pages.dataSource.query(`UPDATE connections SET status = 'needs_reauth' WHERE provider = 'clockify'`);
    await card('Clockify').getByText('Reconnect needed', { exact: true }).waitFor();
    await look('key-ended');
    await card('Clockify')
      .getByRole('button', { name: /^Reconnect/ })
      .click();
    await card('Clockify').getByLabel('Clockify key').fill('not it');
    await page.keyboard.press('Enter');
    await card('Clockify')
      .getByText(/did not accept this key/)
      .waitFor();
    await look('key-again');
    await card('Clockify').getByLabel('Clockify key').fill(apiKey);
    await page.keyboard.press('Enter');
    await card('Clockify').getByText('Connected', { exact: true }).waitFor();
    expect(await pages.dataSource.query(`SELECT status FROM connections WHERE provider = 'clockify'`)).toEqual([{ status: 'connected' }]);
  });

  it('by the hooks: connects and ends', async () => {
    await open();
    const popup = await popUpOf(() => page.getByRole('button', { name: 'Bring in Slack' }).click());
    await decide(popup, 'Allow');
    await page
      .locator('#hooks')
      .getByText(/Slack: .+, connected/)
      .waitFor();
    await card('Slack').getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByRole('button', { name: 'Bring in Slack' }).waitFor();
  });

  it('says that it was denied', async () => {
    await open();
    const popup = await popUpOf(() => card('Slack').getByRole('button', { name: 'Connect Slack' }).click());
    await decide(popup, 'Deny');
    await card('Slack')
      .getByText(/The access was not allowed/)
      .waitFor();
    await happened('error slack denied');
    const again = await popUpOf(() => page.getByRole('button', { name: 'Bring in Slack' }).click());
    await decide(again, 'Deny');
    await page.locator('#hooks [data-code=denied]').waitFor();
  });

  it('says that the window was closed', async () => {
    await open();
    const popup = await popUpOf(() => card('Slack').getByRole('button', { name: 'Connect Slack' }).click());
    await popup.getByRole('button', { name: 'Go on to Slack' }).waitFor();
    await card('Slack').getByText('Go on in the window').waitFor();
    await popup.close();
    await card('Slack')
      .getByText(/The window was closed/)
      .waitFor();
    await happened('error slack closed');
    await card('Slack').getByRole('button', { name: 'Connect Slack' }).waitFor();
  });

  it('says that the browser blocked the window, where no click of a person asked for it', async () => {
    // All by the page itself: what Playwright runs in a page counts as a person's deed.
    await page.addInitScript(`addEventListener('load', () => setInterval(() => {
      const root = document.querySelector('#google')?.shadowRoot;
      const button = root?.querySelector('button.primary');
      if (!window.asked && button) { window.asked = true; button.click(); }
      const said = root?.querySelector('[role=alert]')?.textContent;
      if (said && !window.said) { window.said = true; console.log('said: ' + said); }
    }, 50));`);
    const said = page.waitForEvent('console', (message) => message.text().startsWith('said: '));
    await page.goto(product);
    expect((await said).text()).toBe('said: The browser did not open the window. Allow pop-ups for this page, then try again.');
    expect(context.pages()).toHaveLength(1);
  });

  it('keeps its token in memory, asks for another when that has ended, and says so when there is none', async () => {
    await open();
    const stored = await page.evaluate(
      `JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML])`,
    );
    expect(stored).not.toContain('tbt_');
    await fetch(`${pages.url}/v1/admin/users/${user}/sessions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' })}` },
    });
    await connectSlack();
    const whole = handle;
    handle = (request, response) =>
      request.url === '/trestle-token' ? Promise.resolve(void response.writeHead(401).end()) : whole(request, response);
    await page.goto(product);
    await page
      .locator('#integrations')
      .getByText(/You are not signed in here/)
      .waitFor();
    // It comes back by itself.
    serve({});
    await card('Slack').getByText('Connected', { exact: true }).waitFor();
  });

  it('believes the word of its own window alone', async () => {
    await open();
    const popup = await popUpOf(() => card('Slack').getByRole('button', { name: 'Connect Slack' }).click());
    await popup.getByRole('button', { name: 'Go on to Slack' }).waitFor();
    const forged = {
      type: 'trestle:connect',
      status: 'connected',
      provider: 'slack',
      connectionId: '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6',
    };
    await page.evaluate(`postMessage(${JSON.stringify(forged)}, '*')`);
    // The window itself, once it shows a page of somebody else.
    const other = createServer((_, response) => void response.setHeader('content-type', 'text/html').end('<h1>Elsewhere</h1>'));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    await popup.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
    await popup.evaluate(`opener?.postMessage(${JSON.stringify(forged)}, '*')`);
    await popup.close();
    other.close();
    await card('Slack')
      .getByText(/The window was closed/)
      .waitFor();
    expect(await page.locator('#events li', { hasText: 'connected slack' }).count()).toBe(0);
  });

  it('gives a page of another origin nothing, with a good token in its hands; and is not framed', async () => {
    await open();
    const token = await page.evaluate<string>(
      `fetch('/trestle-token', { method: 'POST', headers: { 'x-requested-with': 'test' } }).then((answer) => answer.json()).then(({ token }) => token)`,
    );
    const stranger = createServer((_, response) => void response.setHeader('content-type', 'text/html').end('<h1>A stranger</h1>'));
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    const evil = await context.newPage();
    await evil.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}`);
    const read = (headers: object, method = 'GET') =>
      evil.evaluate(
        `fetch('${pages.url}/v1/connections', { method: '${method}', headers: ${JSON.stringify(headers)}, credentials: 'include' }).then(({ status }) => status, () => 'kept away')`,
      );
    expect(await read({ authorization: `Bearer ${token}` })).toBe('kept away');
    expect(await read({})).toBe('kept away');
    const fetched = await evil.evaluate(
      `fetch('${product}/trestle-token', { method: 'POST', headers: { 'x-requested-with': 'x' } }).then(() => 'given', () => 'kept away')`,
    );
    expect(fetched).toBe('kept away');
    for (const path of ['/settings/integrations', '/connect/done', '/connect/slack?session=x']) {
      const frame = `new Promise((done) => { const frame = document.createElement('iframe'); frame.src = '${pages.url}${path}'; frame.onload = () => { try { done(frame.contentDocument ? 'empty' : 'refused'); } catch { done('refused'); } }; document.body.append(frame); })`;
      await evil.evaluate(frame);
    }
    const shown = await Promise.all(
      evil
        .frames()
        .slice(1)
        .map((frame) => frame.evaluate(`document.querySelector('h1')?.textContent ?? ''`).catch(() => '')),
    );
    expect(shown.filter((text) => /Integrations|close this window|Connect|Nothing left|Not signed in/.test(String(text)))).toEqual([]);
    stranger.close();
  });

  it('may show the page of integrations in a frame, and connect from it in a window; nobody else may', async () => {
    const inFrame = (path: string) =>
      `<!doctype html><title>Frame</title><iframe title="Integrations" width="900" height="600" src="${path}"></iframe>`;
    const framing =
      (path: string): Handler =>
      (_, response) =>
        Promise.resolve(void response.setHeader('content-type', 'text/html').end(inFrame(path)));
    await page.goto(await pages.signInLink({ tenant: 'acme', user }));
    handle = framing(`${pages.url}/settings/integrations`);
    await page.goto(product);
    const slack = page.frameLocator('iframe').locator('#card-slack');
    const popup = await popUpOf(() =>
      slack
        .getByRole('button', { name: /^Connect/ })
        .first()
        .click(),
    );
    await popup.getByRole('button', { name: 'Allow' }).click();
    await popup.locator('#card-slack').getByText('Connected', { exact: true }).waitFor();
    await slack.getByText('Connected', { exact: true }).waitFor();
    await popup.close();
    const stranger = createServer((request, response) => void framing(`${pages.url}/settings/integrations`)(request, response));
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    await page.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}`);
    const shown = await page
      .frames()[1]
      ?.evaluate(`document.querySelector('#card-slack') !== null`)
      .catch(() => false);
    expect(shown).toBe(false);
    stranger.close();
    await page.goto(`${pages.url}/errors`);
  });

  it('shows a connect that worked out after the provider had cut the window off', async () => {
    await open();
    const popup = await popUpOf(() => card('Google').getByRole('button', { name: 'Connect Google' }).click());
    await popup.getByRole('button', { name: 'Go on to Google' }).click();
    await card('Google')
      .getByText(/this page lost sight of it/)
      .waitFor();
    await popup.getByRole('link', { name: 'Go on' }).click();
    await popup.getByRole('button', { name: 'Allow' }).click();
    await card('Google').getByText('Connected', { exact: true }).waitFor();
    await happened('connected google');
    await card('Google')
      .getByText(/this page lost sight of it/)
      .waitFor({ state: 'detached' });
  });

  it('has nothing that axe finds, light and dark, wide and narrow, with a question open; by the keyboard alone', async () => {
    await open();
    await connectSlack();
    await card('Slack')
      .getByRole('button', { name: /^Disconnect/ })
      .focus();
    await page.keyboard.press('Enter');
    // the question is there with the next picture, and has the focus then
    const focused = `document.querySelector('#integrations').shadowRoot.activeElement?.shadowRoot.activeElement?.textContent.trim()`;
    await pages.eventually('the question has the focus', async () => (await page.evaluate(focused)) === 'Cancel');
    // Playwright's own evaluation is not held to the page's policy.
    await page.evaluate(AXE);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [390, 1280]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        expect([colorScheme, width, await page.evaluate(FINDINGS)]).toEqual([colorScheme, width, []]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
      }
    await page.keyboard.press('Enter');
    await card('Slack')
      .getByRole('button', { name: /^Disconnect/ })
      .waitFor();
  });

  it('speaks the language of its attribute, else of the page', async () => {
    await open();
    await page.evaluate(`document.querySelector('#google').lang = 'zh-CN'`);
    await page.locator('#google').getByText('未连接').waitFor();
    await page.evaluate(
      `document.querySelector('#google').removeAttribute('lang'); document.documentElement.lang = 'zh'; document.querySelector('#google').requestUpdate()`,
    );
    await page.locator('#google').getByRole('button', { name: '连接' }).waitFor();
  });
});
