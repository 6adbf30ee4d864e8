import type { Browser } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

jest.setTimeout(180_000);

describeInBrowser('the pages of the API', () => {
  let pages: PagesFixture;
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function open(path: string) {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(pages.url + path);
    return page;
  }

  it('each call has an example that names its method and address, with nothing left to be filled in', async () => {
    const page = await open('/docs/try');
    expect(new URL(page.url()).pathname).toBe('/docs');
    await page.close();
    const document = (await (await fetch(`${pages.url}/docs-json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const calls = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) => ({ path, method: method.toUpperCase(), operationId })),
    );
    const lacking: string[] = [];
    for (const { path, method, operationId } of calls) {
      const text = await (await fetch(`${pages.url}/docs/operations/${operationId}`)).text();
      const example = /<pre>(curl [^]*?)<\/pre>/.exec(text)?.[1] ?? '';
      const address = /TRESTLE_URL(\S*)&#34;/.exec(example)?.[1] ?? '';
      const isRight = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/{}]+').replace(/[.]/g, '\\.')}(\\?|$)`).test(address);
      if (!isRight || !(method === 'GET' || example.includes(`-X ${method} `)))
        lacking.push(`${method} ${path}: ${example.split('\n')[0]}`);
    }
    expect(calls.length).toBeGreaterThan(50);
    expect(lacking).toEqual([]);
  });

  it('a call is tried on its page, and answered there', async () => {
    const page = await open('/docs/operations/connectionsGet');
    await page.getByLabel('Token').fill(await pages.app.tokenFor({ tenant: 'acme', user: 'ada' }));
    await page.getByLabel('id path').fill('01890a5d-ac96-774b-bcce-b302099a8057');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').getByText('404').waitFor();
    await page.getByRole('region', { name: 'The answer' }).getByText('connection_not_found').waitFor();
    await page.close();
  });

  it('what a call takes as its body is sent', async () => {
    const page = await open('/docs/operations/connectionsCreateSession');
    await page.getByLabel('Token').fill(await pages.app.tokenFor({ tenant: 'acme', user: 'ada' }));
    await page.getByRole('textbox', { name: /^Body/ }).fill('{"provider":"slack"}');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').getByText('201').waitFor();
    await page.getByRole('region', { name: 'The answer' }).getByText('"connectUrl"').waitFor();
    await page.close();
  });

  it('a stream is shown as it comes, and stopped', async () => {
    const page = await open('/docs/operations/connectionsEventsEvents');
    await page.getByLabel('Token').fill(await pages.app.tokenFor({ tenant: 'acme', user: 'ada' }));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('region', { name: 'The answer' }).getByText('event: ready').waitFor();
    const ended = page.waitForEvent('requestfailed');
    await page.getByRole('button', { name: 'Stop' }).click();
    await ended;
    await page.close();
  });

  it('no page made the browser complain', () => expect(complaints).toEqual([]));
});
