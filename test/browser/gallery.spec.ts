import { generateKeyPairSync } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { isMinted } from '../../src/integrations';
import { prefixOf } from '../../src/integrations/providers/plain/plain-settings';
import { PLAIN_PROVIDERS } from '../../src/providers';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { faultsOfLooks } from './looks';

jest.setTimeout(180_000);

const PATH = '/settings/integrations';

const signingKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The settings that set up every provider that there is. */
function allSetUp(): Record<string, string> {
  return Object.fromEntries(
    PLAIN_PROVIDERS.flatMap(({ key, oauth2, app }) => {
      const prefix = prefixOf(key);
      if (!oauth2 || isMinted(oauth2)) return [[`${prefix}_OFFERED`, 'true']];
      return [
        [`${prefix}_CLIENT_ID`, 'our-client'],
        [`${prefix}_CLIENT_SECRET`, 'our-secret'],
        ...(app?.by === 'jwt' ? [[`${prefix}_PRIVATE_KEY`, signingKey()] as const] : []),
      ];
    }),
  );
}

describeInBrowser('a gallery of all providers', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    pages = await startPages(allSetUp());
    browser = await launchBrowser();
    const context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
    await page.goto(await pages.signInLink({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  const tiles = () => page.locator('.tiles li').allInnerTexts();

  it('has a tile for each of more than a hundred, and stays a small page', async () => {
    expect(PLAIN_PROVIDERS.length).toBeGreaterThan(100);
    await page.goto(pages.url + PATH);
    expect((await tiles()).length).toBe(PLAIN_PROVIDERS.length + 3);
    expect(await faultsOfLooks(page, () => page.goto(pages.url + PATH), 'gallery')).toEqual([]);
  });

  it.each([
    ['git', ['GitHub', 'GitLab']],
    ['GITHUB', ['GitHub']],
    ['no-such-service', []],
  ])('is searched by the beginning of a word: %s', async (search, expected) => {
    await page.goto(pages.url + PATH);
    await page.getByRole('search', { name: 'Search the services' }).getByLabel('Search').fill(search);
    await page.keyboard.press('Enter');
    await page.waitForURL(/search=/);
    // the address is there before the page that it names
    await page.locator('.tiles li').nth(9).waitFor({ state: 'detached' });
    const names = (await tiles()).map((text) => text.trim());
    for (const name of expected) expect(names).toContain(name);
    if (expected.length === 0) await page.getByText(`No service is found by “${search}”.`).waitFor();
  });

  it('opens the card of a provider, which connects it and stays', async () => {
    await page.goto(`${pages.url}${PATH}?search=slack`);
    await page.getByRole('link', { name: 'Slack' }).click();
    await page.locator('#card-slack').getByRole('button', { name: 'Connect Slack' }).click();
    await page.waitForURL((url) => url.origin === pages.sandbox.urls.slack);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL((url) => url.pathname === PATH);
    await page.locator('#card-slack').getByText('Connected', { exact: true }).waitFor();
    expect((await tiles()).map((text) => text.trim())).not.toContain('Slack');
    expect(await page.locator('.card').count()).toBe(1);
  });

  it('shows the card of the provider that the address names, beside what is connected', async () => {
    await page.goto(`${pages.url}${PATH}?add=stripe`);
    expect(await page.locator('.card').count()).toBe(2);
    await page.goto(`${pages.url}${PATH}?add=nothing-of-that-name&search=${'x'.repeat(500)}`);
    expect(await page.locator('.card').count()).toBe(1);
  });
});
