import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { LOADED_AT } from './in-page';
import { faultsOfLooks } from './looks';

jest.setTimeout(240_000);

const BOSS = { tenant: 'acme', user: 'boss', role: 'admin' } as const;

describeInBrowser('a replay of many events', () => {
  let pages: PagesFixture;
  let browser: Browser;

  beforeAll(async () => {
    pages = await startPages();
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 6 });
    await pages.eventually(
      'six events',
      async () => (await query(`SELECT 1 FROM webhook_events WHERE status = 'completed' AND type = 'channel_rename'`)).length >= 6,
    );
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    await query(`DELETE FROM webhook_replays`);
    await query(
      `UPDATE webhook_events SET status = 'dead', attempts = 8, error_code = 'webhook_handler_failed',
         last_error = CASE WHEN n <= 2 THEN 'Error: one' WHEN n <= 4 THEN 'Error: two' ELSE 'Error: three' END
       FROM (SELECT id AS of, row_number() OVER (ORDER BY id) AS n FROM webhook_events WHERE type = 'channel_rename') numbered WHERE id = of`,
    );
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  const query = <Row extends object>(sql: string) => pages.dataSource.query<Row[]>(sql);
  const left = async () =>
    (await query<{ last_error: string }>(`SELECT last_error FROM webhook_events WHERE status = 'dead' ORDER BY id`)).map(
      (row) => row.last_error,
    );
  async function signedIn(options: Parameters<Browser['newContext']>[0] = {}): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    await page.goto(await pages.signInLink(BOSS));
    await page.goto(`${pages.url}/admin/failed-events`);
    return { context, page };
  }

  it('of the groups that were ticked; its bar moves while the page stays', async () => {
    const { context, page } = await signedIn();
    await page.getByRole('checkbox', { name: /Error: one/ }).check();
    await page.getByRole('checkbox', { name: /Error: two/ }).check();
    await page.getByRole('button', { name: 'Replay the chosen…' }).click();
    await page.getByText('4 events').first().waitFor();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('heading', { name: 'Replay', level: 1 }).waitFor();
    const loaded = await page.evaluate<number>(LOADED_AT);
    await page.locator('#live').getByText('Completed').waitFor();
    await page.locator('#live').getByText('4 of 4').waitFor();
    expect(await page.evaluate<number>(LOADED_AT)).toBe(loaded);
    expect(await page.locator('#progress').getAttribute('value')).toBe('4');
    expect(await left()).toEqual(['Error: three', 'Error: three']);
    await context.close();
  });

  it('without a script as well, and by what has something in common', async () => {
    const { context, page } = await signedIn({ javaScriptEnabled: false });
    await page.getByRole('button', { name: 'Replay the chosen…' }).click();
    await page.getByText('Nothing was chosen').waitFor();
    await page.getByRole('checkbox', { name: /Error: three/ }).check();
    await page.getByRole('button', { name: 'Replay the chosen…' }).click();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByText('The events are processed again').waitFor();
    await pages.eventually('the group is processed', async () => (await left()).length === 4);
    await page.goto(`${pages.url}/admin/failed-events`);
    await page.getByLabel('Error, as above').fill('Error: two');
    await page.getByLabel('From (UTC)').fill('2020-01-01T00:00');
    await page.getByRole('button', { name: 'Replay what matches…' }).click();
    await page.getByText('2 events: error Error: two').waitFor();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await pages.eventually('they are processed', async () => (await left()).join() === 'Error: one,Error: one');
    await context.close();
  });

  it('a box that was ticked stays ticked while the list follows', async () => {
    const { context, page } = await signedIn();
    await page.locator('[data-live-mark]').getByText('Live', { exact: true }).waitFor();
    const box = page.getByRole('checkbox', { name: /Error: one/ });
    await box.check();
    await query(`UPDATE webhook_events SET last_error = 'Error: four' WHERE last_error = 'Error: three'`);
    await page.locator('#live').getByText('Error: four').first().waitFor();
    expect(await box.isChecked()).toBe(true);
    await context.close();
  });

  it('its pages are fit to be seen', async () => {
    const boss = await pages.signIn(BOSS);
    const run = await boss.follow(await boss.post('/admin/failed-events/replay', { all: 'yes', confirmed: 'yes' }));
    expect(run.text).toContain('All that failed or were given up');
    const [{ id }] = (await query<{ id: string }>('SELECT id FROM webhook_replays')) as [{ id: string }];
    const { context, page } = await signedIn();
    const faults: string[] = [];
    for (const [name, path] of [
      ['failed-events-to-replay', '/admin/failed-events'],
      ['replays', '/admin/replays'],
      ['replay', `/admin/replays/${id}`],
    ] as const)
      faults.push(...(await faultsOfLooks(page, pages.url + path, name)).map((fault) => `${name}: ${fault}`));
    expect(faults).toEqual([]);
    await context.close();
  });
});
