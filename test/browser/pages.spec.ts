import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AlertEvaluator } from '../../src/integrations/monitoring/alert-evaluator';
import { startPages, type PagesFixture, type Person } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser, LOOKS, picture } from './chromium';
import { FAINT_TEXTS, FOCUSED_ID, FOCUSED_TEXT, LOADED_AT, OVERFLOWING } from './in-page';

const PAGE = '/settings/integrations';

jest.setTimeout(180_000);

describeInBrowser('the pages in a browser', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
    ({ context, page } = await personAt({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function personAt(who: Person, options: { javaScriptEnabled?: boolean } = {}): Promise<{ context: BrowserContext; page: Page }> {
    const fresh = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    fresh.setDefaultTimeout(60_000);
    const tab = await fresh.newPage();
    tab.on('pageerror', (error) => complaints.push(error.message));
    tab.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[134]/.test(message.text())) complaints.push(message.text());
    });
    await tab.goto(await pages.signInLink(who));
    return { context: fresh, page: tab };
  }
  const slack = (tab: Page = page) => tab.locator('#card-slack');
  const consent = async (tab: Page = page) => {
    await tab.waitForURL((url) => url.origin === pages.sandbox.urls.slack);
    await tab.getByRole('button', { name: 'Allow' }).click();
    await tab.waitForURL((url) => url.pathname === PAGE);
  };
  const restingSlack = (tab: Page = page) =>
    slack(tab).getByText('Last synced').and(tab.locator('#card-slack:not([data-busy]) *')).waitFor();

  it('connects Slack by clicking through its consent page', async () => {
    await slack().getByRole('button', { name: 'Connect Slack' }).click();
    await consent();
    await page.getByText('Slack is connected.').waitFor();
    await slack().getByText('Connected', { exact: true }).waitFor();
  });

  it('follows the first sync without being loaded again', async () => {
    const loaded = await page.evaluate<number>(LOADED_AT);
    await restingSlack();
    expect(await slack().locator('time').textContent()).toMatch(/just now|minute/);
    expect(await page.evaluate<number>(LOADED_AT)).toBe(loaded);
    await picture(page, 'integrations');
  });

  it('keeps the focus where it is when a card is brought up to date, and says what changed', async () => {
    const button = slack().getByRole('button', { name: /Disconnect/ });
    await button.focus();
    const id = await button.getAttribute('id');
    await pages.dataSource.query(`UPDATE connections SET account_name = 'Renamed' WHERE provider = 'slack'`);
    await slack().getByText('Renamed', { exact: true }).waitFor();
    expect(await page.evaluate<string>(FOCUSED_ID)).toBe(id);
    expect(await page.locator('[data-news]').textContent()).toContain('Slack, Renamed: connected');
  });

  it('asks in a dialog before it disconnects, and does nothing when the answer is no', async () => {
    await slack()
      .getByRole('button', { name: /Disconnect/ })
      .click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('Disconnect Renamed from Slack?');
    await picture(page, 'dialog');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await slack().getByText('Connected', { exact: true }).waitFor();
    await slack()
      .getByRole('button', { name: /Disconnect/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('Disconnected. The access has ended').waitFor();
    await slack().getByText('Not connected').waitFor();
  });

  it('connects again, and mends what the provider ended', async () => {
    await slack().getByRole('button', { name: 'Connect Slack' }).click();
    await consent();
    await restingSlack();
    pages.sandbox.control.revokeTokens('slack');
    await pages.eventually(
      'reconnect needed',
      async () => (await pages.dataSource.query(`SELECT 1 FROM connections WHERE status = 'needs_reauth'`)).length > 0,
    );
    await page.goto(pages.url + PAGE);
    await slack().getByText('Reconnect needed').waitFor();
    await picture(page, 'reconnect');
    await slack()
      .getByRole('button', { name: /Reconnect/ })
      .click();
    await consent();
    await slack().getByText('Connected', { exact: true }).waitFor();
    expect(await slack().getByText('Reconnect needed').count()).toBe(0);
  });

  it('works with the keyboard alone', async () => {
    await page.goto(pages.url + PAGE);
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string>(FOCUSED_TEXT)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    const reached: string[] = [];
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate<string>(FOCUSED_TEXT));
    }
    for (const name of ['Connect Google', 'Connect Stripe', 'Connect with a key', 'Connect another Slack']) expect(reached).toContain(name);
  });

  it('works without a script: the server asks', async () => {
    const plain = await personAt({ tenant: 'acme', user: 'ada' }, { javaScriptEnabled: false });
    await slack(plain.page)
      .getByRole('button', { name: /Sync now/ })
      .click();
    await plain.page.getByText(/The sync has been started|The sync is done|under way already/).waitFor();
    await slack(plain.page)
      .getByRole('button', { name: /Disconnect/ })
      .click();
    await plain.page.getByText('The access ends at once').waitFor();
    await plain.page.getByRole('link', { name: 'Cancel' }).click();
    await slack(plain.page).getByText('Connected', { exact: true }).waitFor();
    await plain.context.close();
  });

  it.each([true, false])(
    'lets an administrator say who may use what is connected for the organization; script: %s',
    async (javaScriptEnabled) => {
      const boss = await personAt({ tenant: `org-${javaScriptEnabled}`, user: 'boss', role: 'admin' }, { javaScriptEnabled });
      await boss.page.goto(pages.url + PAGE);
      await slack(boss.page).getByText('Connect for the organization', { exact: true }).first().click();
      const who = slack(boss.page).getByLabel('Who may use and manage it');
      expect(await who.locator('option').allTextContents()).toHaveLength(3);
      await who.selectOption({ label: 'The organization’s administrators alone can work with the account and look after it' });
      await picture(boss.page, 'for-the-organization');
      await slack(boss.page).getByRole('button', { name: 'Connect for the organization' }).click();
      if (!javaScriptEnabled)
        await boss.page.waitForURL((url) => url.origin !== new URL(pages.url).origin || url.pathname.startsWith('/connect'));
      await consent(boss.page);
      await slack(boss.page).getByText('used and managed by its administrators').waitFor();
      await boss.context.close();
    },
  );

  it('lets an administrator replay a dead event', async () => {
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 4 });
    await pages.eventually(
      'events',
      async () => (await pages.dataSource.query(`SELECT 1 FROM webhook_events WHERE status = 'completed'`)).length >= 4,
    );
    await pages.dataSource.query(
      `UPDATE webhook_events SET status = 'dead', attempts = 8, last_error = 'TypeError: the handler met what it did not expect' WHERE id IN (SELECT id FROM webhook_events WHERE tenant = 'acme' AND type = 'channel_rename' LIMIT 3)`,
    );
    await pages.app.app.get(AlertEvaluator, { strict: false }).evaluate();
    const boss = await personAt({ tenant: 'acme', user: 'boss', role: 'admin' });
    await boss.page.getByRole('link', { name: 'Overview' }).click();
    await boss.page.getByRole('heading', { name: 'Overview' }).waitFor();
    await picture(boss.page, 'admin');
    const acknowledge = boss.page.getByRole('button', { name: /Acknowledge Events of slack/i });
    await acknowledge.click();
    await acknowledge.waitFor({ state: 'detached' });
    await boss.page.getByRole('link', { name: '3', exact: true }).click();
    await boss.page.getByRole('heading', { name: 'Webhook events' }).waitFor();
    await picture(boss.page, 'webhook-events');
    await boss.page
      .getByRole('button', { name: /^Replay channel_rename/ })
      .first()
      .click();
    await boss.page.getByText('The event is processed again').waitFor();
    await boss.page.getByLabel("Provider's event id").fill('');
    await boss.page.getByLabel('Status').selectOption('dead');
    await boss.page.getByRole('button', { name: 'Show' }).click();
    await boss.page.getByRole('button', { name: /Replay all/ }).click();
    await boss.page.getByText('2 events match. Process them again?').waitFor();
    await picture(boss.page, 'replay');
    await boss.page.getByRole('button', { name: 'Replay' }).click();
    await boss.page.getByText('The events are processed again').waitFor();
    await pages.eventually(
      'all processed',
      async () => (await pages.dataSource.query(`SELECT 1 FROM webhook_events WHERE status <> 'completed'`)).length === 0,
    );
    for (const name of ['Alerts', 'Sync runs', 'Requests']) {
      await boss.page.getByRole('link', { name, exact: true }).click();
      await boss.page.getByRole('heading', { name, exact: true }).waitFor();
      await picture(boss.page, name.toLowerCase().replace(' ', '-'));
    }
    await boss.page.goto(`${pages.url}/admin/webhook-events`);
    await boss.page.getByRole('link', { name: 'channel_rename' }).first().click();
    await boss.page.getByRole('heading', { name: 'Payload' }).waitFor();
    await picture(boss.page, 'event');
    await boss.context.close();
  });

  it('fits a window of 360 px', async () => {
    const boss = await personAt({ tenant: 'acme', user: 'boss', role: 'admin' });
    await pages.dataSource.query(`UPDATE connections SET account_name = $1`, [
      `A workspace with a very-long-name-without-any-space-${'x'.repeat(60)}`,
    ]);
    await boss.page.setViewportSize({ width: 360, height: 800 });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto(pages.url + PAGE);
    expect(await page.evaluate<unknown>(OVERFLOWING)).toBeUndefined();
    await picture(page, 'long-name');
    for (const path of [
      PAGE,
      '/admin',
      '/admin/alerts',
      '/admin/webhook-events',
      '/admin/sync-runs',
      '/admin/requests',
      '/admin/providers/slack',
    ]) {
      await boss.page.goto(pages.url + path);
      expect([path, await boss.page.evaluate<unknown>(OVERFLOWING)]).toEqual([path, undefined]);
    }
    await boss.context.close();
  });

  it('shows who is not signed in, or may not come in, a page', async () => {
    const stranger = await browser.newContext();
    const tab = await stranger.newPage();
    await tab.goto(`${pages.url}/admin`);
    await tab.getByText('Open this page from your application again.').waitFor();
    await picture(tab, 'not-signed-in');
    await stranger.close();
    await page.goto(`${pages.url}/admin`);
    await page.getByText('Your role does not allow this.').waitFor();
  });

  it.each(LOOKS)('has enough contrast: $name', async ({ colorScheme, width }) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(pages.url + PAGE);
    expect(await page.evaluate<unknown>(FAINT_TEXTS)).toEqual([]);
  });

  it('never made the browser complain: no script error, nothing that the policy refused', () => {
    expect(complaints).toEqual([]);
    expect(context.pages()).toHaveLength(1);
  });
});
