import type { Browser, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { faultsOfLooks } from './looks';

jest.setTimeout(180_000);

describeInBrowser("the sandbox's page", () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;
  let address: string;

  beforeAll(async () => {
    pages = await startPages();
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    browser = await launchBrowser();
    page = await browser.newPage();
    address = `${pages.sandbox.urls['control']}/page`;
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  const said = () => page.locator('[role=status]').innerText();
  const slack = () => page.locator('section', { has: page.locator('h2', { hasText: /^slack$/ }) });

  it('is linked on the page of the cards, where the service runs with the sandbox', async () => {
    const context = await browser.newContext();
    const cards = await context.newPage();
    await cards.goto(await pages.signInLink({ tenant: 'acme', user: 'ada' }));
    await cards.goto(`${pages.url}/settings/integrations`);
    await cards.getByRole('link', { name: 'The sandbox’s page' }).click();
    await cards.getByRole('heading', { name: 'Sandbox', level: 1 }).waitFor();
    expect(new URL(cards.url()).pathname).toBe('/page');
    await context.close();
  });

  it('shows accounts and what happened, on a phone and on a desk, light and dark', async () => {
    expect(await faultsOfLooks(page, address, 'sandbox')).toEqual([]);
    await page.goto(address);
    expect(await slack().innerText()).toContain('T_ACME');
    expect(await page.locator('table').innerText()).toContain('oauth.v2.access');
  });

  it('its buttons cause faults, and end them', async () => {
    await page.goto(address);
    await slack().getByRole('button', { name: '503' }).click();
    expect(await said()).toBe('The next five answers of slack: 503.');
    expect(pages.sandbox.control.faults()).toMatchObject([{ provider: 'slack', kind: 'status', status: 503, count: 5 }]);
    await page.getByRole('button', { name: 'End all' }).click();
    expect(pages.sandbox.control.faults()).toEqual([]);
  });

  it('sends webhooks, twice and in disorder, and the service takes each once', async () => {
    await page.goto(address);
    await slack().getByLabel('Type of event').fill('channel_rename');
    await slack().getByRole('button', { name: 'The same three times' }).click();
    expect(await said()).toBe('1 events of slack were sent in 3 deliveries.');
    await pages.eventually('one event', async () => {
      const rows = await pages.dataSource.query<unknown[]>(`SELECT 1 FROM webhook_events WHERE type = 'channel_rename'`);
      return rows.length === 1;
    });
  });

  it('revokes an access, as the provider does', async () => {
    await page.goto(address);
    await slack().getByRole('button', { name: 'Revoke the access to T_ACME' }).click();
    expect(await said()).toMatch(/^1 grants of slack/);
    await pages.eventually('the loss is seen', async () => {
      const [row] = await pages.dataSource.query<{ status: string }[]>('SELECT status FROM connections');
      return row?.status !== 'connected';
    });
  });

  it('takes a form from its own page alone', async () => {
    const form = { method: 'POST', body: new URLSearchParams({ act: 'clear' }), redirect: 'manual' } as const;
    for (const headers of [new Headers(), { origin: 'http://evil.example' }, { origin: 'null' }])
      expect((await fetch(address, { ...form, headers })).status).toBe(403);
  });
});
