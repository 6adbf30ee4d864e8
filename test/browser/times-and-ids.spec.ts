import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

jest.setTimeout(180_000);

const AT = '2026-03-01T20:30:05.000Z';
const UTC = '2026-03-01 20:30:05 UTC';

describeInBrowser('times and ids on the pages', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let path: string;

  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    const [connection] = await pages.dataSource.query<{ id: string }[]>(
      `WITH changed AS (UPDATE connections SET connected_at = $1, created_at = $1 RETURNING id) SELECT id FROM changed`,
      [AT],
    );
    path = `/admin/connections/${connection?.id}`;
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  const open = async (options: Parameters<Browser['newContext']>[0]): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    await page.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
    await page.goto(pages.url + path);
    return { context, page };
  };
  const time = (page: Page) => page.locator(`time[datetime="${AT}"]`).first();

  it.each([
    ['Asia/Shanghai', '2 Mar 2026, 04:30:05 GMT+8'],
    ['America/New_York', '1 Mar 2026, 15:30:05 GMT-5'],
  ])('tells the time of %s with its zone, and UTC beside it', async (timezoneId, local) => {
    const { context, page } = await open({ timezoneId });
    expect(await time(page).textContent()).toBe(`${local} · ${UTC}`);
    const listed = page.locator('table time').first();
    expect(await listed.getAttribute('title')).toMatch(/ GMT[+-]\d+ · .* UTC$/);
    await context.close();
  });

  it('tells UTC where there is no script, or no other zone', async () => {
    for (const options of [{ javaScriptEnabled: false, timezoneId: 'Asia/Shanghai' }, { timezoneId: 'UTC' }]) {
      const { context, page } = await open(options);
      expect(await time(page).textContent()).toBe(UTC);
      await context.close();
    }
  });

  it('copies an id by a button, also after the page was brought up to date', async () => {
    const { context, page } = await open({ permissions: ['clipboard-read', 'clipboard-write'], timezoneId: 'Asia/Shanghai' });
    const id = path.split('/').at(-1) ?? '';
    const button = page.getByRole('button', { name: `Copy ${id}` });
    await page.locator('[data-live-mark]').getByText('Live').waitFor();
    await button.focus();
    await pages.dataSource.query(`UPDATE connections SET account_name = 'Renamed meanwhile'`);
    await page.getByText('Renamed meanwhile').first().waitFor();
    expect(await button.count()).toBe(1);
    expect(await time(page).textContent()).toContain(' · ');
    await page.keyboard.press('Enter');
    await button.getByText('Copied').waitFor();
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(id);
    await context.close();
  });

  it('selects an id where copying is not allowed', async () => {
    const { context, page } = await open({});
    await page.evaluate(`navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))`);
    const button = page.getByRole('button', { name: `Copy ${path.split('/').at(-1)}` });
    await button.click();
    await button.getByText('Selected').waitFor();
    expect(await page.evaluate<string>('getSelection().toString()')).toBe(path.split('/').at(-1));
    await context.close();
  });
});
