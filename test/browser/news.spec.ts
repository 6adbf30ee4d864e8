import type { Browser, Page } from 'playwright-core';
import { startPages, type PagesFixture, type Person } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

const PAGE = '/settings/integrations';
const ADA = { tenant: 'acme', user: 'ada' };

jest.setTimeout(180_000);

describeInBrowser('what the pages tell', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
    page = await tabOf(ADA);
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function tabOf(who: Person): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    const tab = await context.newPage();
    await tab.goto(await pages.signInLink(who));
    return tab;
  }
  const slack = () => page.locator('#card-slack');
  const allow = async () => {
    await page.waitForURL((url) => url.origin === pages.sandbox.urls.slack);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL((url) => url.pathname === PAGE);
  };

  it.each([
    `${PAGE}?success=slack`,
    `${PAGE}?error=access_denied`,
    `${PAGE}?notice=sync`,
    `${PAGE}?notice=revoked`,
    '/admin/webhook-events?notice=replayed',
    '/admin/alerts?notice=acknowledged',
    '/admin/sync-runs?notice=confirmed',
  ])('nothing that only the address says: %s', async (address) => {
    const boss = await tabOf({ tenant: 'acme', user: 'boss', role: 'admin' });
    await boss.goto(pages.url + address);
    await boss.locator('main').waitFor();
    expect(await boss.locator('.banner').allTextContents()).toEqual([]);
    await boss.context().close();
  });

  it('that an account is connected, once', async () => {
    await slack().getByRole('button', { name: 'Connect Slack' }).click();
    await allow();
    await page.getByText('Slack is connected.').waitFor();
    await page.reload();
    await slack().getByText('Connected', { exact: true }).waitFor();
    expect(await page.locator('.banner').count()).toBe(0);
  });

  it('nothing of a sync beside a connection that needs a reconnect', async () => {
    await pages.eventually(
      'synced',
      async () => (await pages.dataSource.query(`SELECT 1 FROM sync_runs WHERE status = 'succeeded'`)).length > 0,
    );
    await page.route('**/live/**', (route) => route.abort()); // the button is pressed on a page that does not know yet
    await page.reload();
    await slack()
      .getByRole('button', { name: /Sync now/ })
      .waitFor();
    await pages.dataSource.query(`UPDATE connections SET status = 'needs_reauth' WHERE provider = 'slack'`);
    await slack()
      .getByRole('button', { name: /Sync now/ })
      .click();
    await slack().getByText('Reconnect needed').waitFor();
    await page.unroute('**/live/**');
    expect(await page.locator('main').textContent()).not.toContain('has been started');
    const boss = await tabOf({ tenant: 'acme', user: 'boss', role: 'admin' });
    for (const path of ['/admin', '/admin/providers/slack']) {
      await boss.goto(pages.url + path);
      const row = await boss.getByRole('row').filter({ hasText: /slack/i }).first().textContent();
      expect(row).not.toContain('Healthy');
      expect(row).toContain('1 connection to be reconnected');
    }
    await boss.context().close();
    await pages.dataSource.query(`UPDATE connections SET status = 'connected' WHERE provider = 'slack'`);
  });

  it('that the provider does not answer, and when the next try is', async () => {
    pages.sandbox.control.addFault({ kind: 'status', status: 503, provider: 'slack' });
    await page.reload();
    await slack()
      .getByRole('button', { name: /Sync now/ })
      .click();
    await pages.eventually(
      'a failed try',
      async () => (await pages.dataSource.query(`SELECT 1 FROM sync_runs WHERE status = 'queued' AND error_code IS NOT NULL`)).length > 0,
    );
    await page.goto(pages.url + PAGE);
    const told = await slack().locator('.account').textContent();
    expect(told).toMatch(/Slack is not answering\. Next try (in \d+ s|in \d+ minutes?|now)/);
    expect(told).not.toContain('about to start');
  });
});
