import type { Browser, Page } from 'playwright-core';
import { ProviderRegistry } from '../../src/integrations/providers/provider-registry';
import { startPages, type PagesFixture, type Person } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

const PAGE = '/settings/integrations';
const ADA = { tenant: 'acme', user: 'ada' };
const BOSS = { tenant: 'acme', user: 'boss', role: 'admin' } as const;

jest.setTimeout(180_000);

describeInBrowser('what the pages tell', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;
  let boss: Page;
  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
    page = await tabOf(ADA);
    boss = await tabOf(BOSS);
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
  const query = <Row extends object>(sql: string) => pages.dataSource.query<Row[]>(sql);
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
    await boss.goto(pages.url + address);
    await boss.locator('main').waitFor();
    expect(await boss.locator('.banner').allTextContents()).toEqual([]);
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
    for (const path of ['/admin', '/admin/providers/slack']) {
      await boss.goto(pages.url + path);
      const row = await boss.getByRole('row').filter({ hasText: /slack/i }).first().textContent();
      expect(row).not.toContain('Healthy');
      expect(row).toContain('1 connection to be reconnected');
    }
    await pages.dataSource.query(`UPDATE connections SET status = 'connected' WHERE provider = 'slack'`);
  });

  describe('while a provider fails: on open pages and after a reload', () => {
    beforeAll(async () => {
      await boss.goto(`${pages.url}/admin`);
      await page.goto(pages.url + PAGE);
    });
    beforeEach(async () => {
      pages.sandbox.control.clearFaults();
      setDeadline(30_000);
      await query(`DELETE FROM sync_runs`);
      for (const table of ['figures', 'request_buckets', 'alerts']) await query(`DELETE FROM ${table}`);
      await Promise.all([page, boss].map((tab) => tab.locator('[data-live-mark]').getByText('Live', { exact: true }).waitFor()));
      await boss.locator('.verdict').getByText('All is well').waitFor();
    });
    const setDeadline = (deadlineMs: number) =>
      Object.assign(pages.app.app.get(ProviderRegistry, { strict: false }).get('slack').http, { deadlineMs });
    const syncNow = () =>
      slack()
        .getByRole('button', { name: /Sync now/ })
        .click();
    const plain = async (shown: Promise<string>) => (await shown).replace(/\s+/g, ' ');
    const onCard = () => plain(slack().innerText());
    const row = () => plain(boss.getByRole('row').filter({ hasText: 'Slack' }).first().innerText());
    /** Looks once at the pages as they are, which have followed, and once at what a reload shows. */
    async function twice(look: () => Promise<void>): Promise<void> {
      await look();
      await Promise.all([page.reload(), boss.reload()]);
      await look();
    }
    const told = (tab: Page, text: RegExp) =>
      pages.eventually(String(text), async () => text.test(await plain(tab.locator('#live').innerText())));
    async function seenAsTriedAgain(why: string, spoken = 'the last try of a sync failed, and it is tried again.'): Promise<void> {
      await told(page, new RegExp(why));
      await query(`UPDATE sync_runs SET next_attempt_at = greatest(next_attempt_at, now() + interval '40 s')`); // it stands still while it is looked at
      const card = await onCard();
      expect(card).toMatch(new RegExp(`${why} Next try (in \\d+ s|in \\d+ minutes?|now)\\. Nothing is lost; you need not do anything`));
      expect(card).not.toMatch(/is queued|Syncing|Sync now|has been started/);
      expect(await slack().getAttribute('data-says')).toBe(`Slack, Acme: connected; ${spoken}`);
      expect(await page.locator('.banner').count()).toBe(0);
    }
    async function seenByAdmins(verdict: RegExp): Promise<void> {
      await told(boss, verdict);
      await told(boss, /1 sync waits, the next try/);
      const text = await plain(boss.locator('.verdict').innerText());
      expect(text).not.toMatch(/All is well|\b0 (organizations|connections)/);
      expect(text).toMatch(/the next try (in \d+ s|in \d+ minutes?|now)/);
      expect(await row()).not.toContain('Healthy');
    }

    it.each([
      ['fails', () => pages.sandbox.control.addFault({ kind: 'status', status: 503, provider: 'slack' })],
      [
        'is slow beyond the deadline',
        () => {
          setDeadline(700); // else this took half a minute
          pages.sandbox.control.addFault({ kind: 'hang', provider: 'slack' });
        },
      ],
    ])('that it %s', async (_, fail) => {
      fail();
      await syncNow();
      await twice(async () => {
        await seenAsTriedAgain('Slack is not answering\\.');
        await seenByAdmins(/It is them: calls to providers fail/);
      });
    });

    it('that the access was ended there', async () => {
      pages.sandbox.control.setWebhookTarget(undefined); // it does not tell: the next call notices
      pages.sandbox.control.revokeTokens('slack');
      await syncNow();
      await twice(async () => {
        await slack().getByText('Reconnect needed').waitFor();
        const card = await onCard();
        expect(card).toContain('The access that was given has ended. Reconnect the integration to go on.');
        expect(card).not.toMatch(/Connected|Sync now|Syncing|Next try/);
        expect(await slack().getAttribute('data-says')).toBe('Slack, Acme: reconnect needed.');
        expect(await page.locator('.banner').count()).toBe(0);
        await told(boss, /1 connection has to be reconnected by its user/);
        expect(await plain(boss.locator('.verdict').innerText())).not.toContain('All is well');
        expect(await row()).toMatch(/Needs attention 1 connection to be reconnected/);
      });
      await slack()
        .getByRole('button', { name: /Reconnect/ })
        .click();
      await allow();
      await slack().getByText('Connected', { exact: true }).waitFor();
    });

    it('that it asks to slow down, with the time it asks for', async () => {
      pages.sandbox.control.addFault({ kind: 'rate-limit', retryAfter: '45', provider: 'slack' });
      await syncNow();
      await twice(async () => {
        await seenAsTriedAgain('Slack asks us to slow down\\.', 'Slack asks us to slow down, and the sync is tried again.');
        expect(Number(/in (\d+) s/.exec(await onCard())?.[1])).toBeGreaterThan(30);
        await seenByAdmins(/Limits Slack asks us to slow down: \d+ of \d+ requests? of the last hour were put off/);
      });
    });

    it('that a call waits as it asks to slow down', async () => {
      pages.sandbox.control.setAutoConsent('allow');
      pages.sandbox.control.addFault({ kind: 'rate-limit', retryAfter: '20', provider: 'google', path: 'calendar' });
      const ada = await pages.signIn(ADA);
      await ada.follow(await ada.post(`${PAGE}/google/connect`));
      const google = page.locator('#card-google');
      await google.getByText('Google asks us to slow down.').waitFor();
      expect(await plain(google.innerText())).toMatch(/Google asks us to slow down\. Next try in (1\d|2\d) s\./);
    });
  });
});
