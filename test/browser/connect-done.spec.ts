import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

const ADA = { tenant: 'acme', user: 'ada' };
/** What the product's page and the pages of our own origin have heard, run inside them. */
const HEARD = `window.heard`;
const LISTEN = `window.heard = []; addEventListener('message', ({ data, origin }) => heard.push({ ...data, from: origin }));`;
const LISTEN_TO_CHANNEL = `window.heard = []; new BroadcastChannel('trestle:connect').addEventListener('message', ({ data }) => heard.push(data));`;

jest.setTimeout(180_000);

describeInBrowser('the end of a connect whose caller named no page', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let context: BrowserContext;
  const products: Server[] = [];
  let allowed: string;
  let stranger: string;

  beforeAll(async () => {
    [allowed, stranger] = [await product(), await product()];
    pages = await startPages({ RETURN_TO_ORIGINS: allowed, PRODUCT_URL: `${allowed}/account` });
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    context.setDefaultTimeout(20_000);
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    for (const server of products) server.close();
  });

  /** A page of a product, on an origin of its own. */
  async function product(): Promise<string> {
    const server = createServer((_, response) => void response.setHeader('content-type', 'text/html').end('<h1>The product</h1>'));
    products.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  async function connectUrl(): Promise<string> {
    const answer = await fetch(`${pages.url}/v1/connect-sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await pages.app.tokenFor(ADA)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'slack' }),
    });
    return ((await answer.json()) as { connectUrl: string }).connectUrl;
  }
  const decide = async (tab: Page, decision: 'Allow' | 'Deny') => {
    await tab.getByRole('button', { name: 'Go on to Slack' }).click();
    await tab.getByRole('button', { name: decision }).click();
  };
  /** The product opens the connect link in a window of its own. */
  async function openedBy(origin: string): Promise<{ opener: Page; popup: Page }> {
    const opener = await context.newPage();
    await opener.goto(origin);
    await opener.evaluate(LISTEN);
    const [popup] = await Promise.all([
      context.waitForEvent('page'),
      opener.evaluate(`void window.open(${JSON.stringify(await connectUrl())}, 'connect', 'width=600,height=700')`),
    ]);
    return { opener, popup };
  }

  it.each([true, false])('says that it worked, to somebody without a session; script: %s', async (javaScriptEnabled) => {
    const own = await browser.newContext({ javaScriptEnabled });
    const tab = await own.newPage();
    await tab.goto(await connectUrl());
    await decide(tab, 'Allow');
    await tab.getByRole('heading', { name: 'Slack is connected' }).waitFor();
    await tab.getByText('You may close this window.').waitFor();
    expect(await tab.getByRole('link', { name: 'Go to your application' }).getAttribute('href')).toBe(`${allowed}/account`);
    await tab.reload();
    await tab.getByRole('heading', { name: 'Nothing left to do here' }).waitFor();
    await own.close();
  });

  it('says nothing that only the address says', async () => {
    const tab = await context.newPage();
    await tab.goto(`${pages.url}/connect/done?success=slack&connection=x&error=access_denied`);
    await tab.getByRole('heading', { name: 'Nothing left to do here' }).waitFor();
  });

  it('tells the page that opened it, and the pages of its own origin, and closes', async () => {
    const { opener, popup } = await openedBy(allowed);
    const ours = await context.newPage();
    await ours.goto(`${pages.url}/errors`);
    await ours.evaluate(LISTEN_TO_CHANNEL);
    const closed = popup.waitForEvent('close');
    await decide(popup, 'Allow');
    await closed;
    await opener.waitForFunction('heard.length > 0');
    const [{ id }] = (await pages.dataSource.query(`SELECT id FROM connections WHERE status = 'connected'`)) as [{ id: string }];
    const told = { type: 'trestle:connect', status: 'connected', provider: 'slack', connectionId: id };
    expect(await opener.evaluate(HEARD)).toEqual([{ ...told, from: pages.url }]);
    expect(await ours.evaluate(HEARD)).toEqual([told]);
  });

  it('tells why it did not work', async () => {
    const { opener, popup } = await openedBy(allowed);
    const closed = popup.waitForEvent('close');
    await decide(popup, 'Deny');
    await closed;
    await opener.waitForFunction('heard.length > 0');
    expect(await opener.evaluate(HEARD)).toEqual([
      { type: 'trestle:connect', status: 'error', provider: 'slack', error: 'connect_denied', from: pages.url },
    ]);
  });

  it('tells no page of an origin that is not allowed', async () => {
    const { opener, popup } = await openedBy(stranger);
    const closed = popup.waitForEvent('close');
    await decide(popup, 'Allow');
    await closed;
    expect(await opener.evaluate(HEARD)).toEqual([]);
  });
});
