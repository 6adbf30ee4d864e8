import { Module } from '@nestjs/common';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { FigureCollector } from '../../src/integrations/figures';
import { OnWebhook, type WebhookHandler } from '../../src/integrations';
import { HttpReceiver } from '../../src/integrations/notifications/testing/http-receiver';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { LOADED_AT } from './in-page';
import { faultsOfLooks } from './looks';

jest.setTimeout(240_000);

const BOSS = { tenant: 'acme', user: 'boss', role: 'admin' } as const;

/** While it is shut, events stay in work. */
let gate: Promise<void> = Promise.resolve();

@OnWebhook({ provider: 'slack', types: ['channel_rename'] })
class GateHandler implements WebhookHandler {
  handle(): Promise<void> {
    return gate;
  }
}
@Module({ providers: [GateHandler] })
class GateModule {}

describeInBrowser('the pages for administrators', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let receiver: HttpReceiver;

  beforeAll(async () => {
    receiver = await HttpReceiver.start();
    pages = await startPages({}, [GateModule]);
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
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await receiver?.close();
  });

  const query = <Row extends object>(sql: string) => pages.dataSource.query<Row[]>(sql);
  const left = async () =>
    (await query<{ last_error: string }>(`SELECT last_error FROM webhook_events WHERE status = 'dead' ORDER BY id`)).map(
      (row) => row.last_error,
    );
  async function signedIn(
    options: Parameters<Browser['newContext']>[0] = {},
    path = '/admin/failed-events',
  ): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    await page.goto(await pages.signInLink(BOSS));
    await page.goto(pages.url + path);
    return { context, page };
  }

  describe('a replay of many events', () => {
    beforeEach(async () => {
      await query(`DELETE FROM webhook_replays`);
      await query(
        `UPDATE webhook_events SET status = 'dead', attempts = 8, error_code = 'webhook_handler_failed',
         last_error = CASE WHEN n <= 2 THEN 'Error: one' WHEN n <= 4 THEN 'Error: two' ELSE 'Error: three' END
       FROM (SELECT id AS of, row_number() OVER (ORDER BY id) AS n FROM webhook_events WHERE type = 'channel_rename') numbered WHERE id = of`,
      );
    });
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

    it('is cancelled while it is under way, and says so while the page stays', async () => {
      let open = () => undefined as void;
      gate = new Promise((resolve) => (open = resolve));
      const { context, page } = await signedIn();
      await page.getByRole('checkbox', { name: /Error: one/ }).check();
      await page.getByRole('button', { name: 'Replay the chosen…' }).click();
      await page.getByRole('button', { name: 'Replay', exact: true }).click();
      const live = page.locator('#live');
      await live.getByText('Running', { exact: true }).waitFor();
      expect(await page.locator('#progress').getAttribute('value')).toBe('0');
      await page.getByRole('button', { name: 'Cancel the replay' }).click();
      await live.getByText('Being cancelled').waitFor();
      expect(await page.getByRole('button', { name: 'Cancel the replay' }).count()).toBe(0);
      const loaded = await page.evaluate<number>(LOADED_AT);
      open();
      await live.getByText('Cancelled', { exact: true }).waitFor();
      expect(await page.evaluate<number>(LOADED_AT)).toBe(loaded);
      expect(await left()).toHaveLength(4);
      await context.close();
    });
  });

  it("the day's table counts what happens while the page stays, in words as well", async () => {
    // what happened before is counted, and counts no more
    const inWork = () => query(`SELECT 1 FROM webhook_events WHERE status = 'processing'`);
    await pages.eventually('nothing in work', async () => (await inWork()).length === 0);
    await pages.app.app.get(FigureCollector, { strict: false }).flush();
    const { context, page } = await signedIn({}, '/admin');
    await page.locator('[data-live-mark]').getByText('Live', { exact: true }).waitFor();
    const row = page.getByRole('table', { name: 'The last 24 hours' }).getByRole('row').filter({ hasText: 'Webhook events in effect' });
    const count = async () => Number((await row.getByRole('cell').nth(1).textContent())?.replaceAll(',', ''));
    const before = await count();
    const loaded = await page.evaluate<number>(LOADED_AT);
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_archive', count: 3 });
    // an event that ended just before is counted a moment after its row says so
    await pages.eventually('three more events', async () => (await count()) >= before + 3);
    expect(await page.evaluate<number>(LOADED_AT)).toBe(loaded);
    await pages.eventually('the same in words', async () => {
      const bars = await row.getByRole('img').getAttribute('aria-label');
      return bars?.startsWith(`Webhook events in effect by the hour: ${await count()} in 24 hours`);
    });
    await page.getByRole('row').getByRole('link', { name: 'Slack', exact: true }).first().click();
    await page.getByRole('heading', { name: 'Slack', level: 1 }).waitFor();
    await page.getByRole('heading', { name: 'Limits that calls are held to' }).waitFor();
    await context.close();
  });

  it('a destination is added, tested, paused, resumed, and sent again what was given up', async () => {
    const { context, page } = await signedIn({}, '/admin/destinations');
    const button = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const state = page.locator('dl.facts dd').filter({ has: page.locator('.pill') });
    await page.getByRole('link', { name: 'New destination' }).click();
    await page.getByLabel('Name').fill('The product');
    await page.getByLabel('Address, where messages').fill(receiver.url('/told'));
    await button('Add it');
    await page.getByText('Choose what it is to be told of.').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('The product');
    await page.getByLabel('webhook.received').check();
    await button('Add it');
    await page.getByText('The destination is added.').waitFor();
    await page.getByRole('link', { name: 'On to the destination' }).click();

    receiver.answers.set('/told', 500);
    await button('Test The product');
    await page
      .getByRole('heading', { name: /Delivery/ })
      .first()
      .waitFor();
    await page.locator('main').getByText('500').first().waitFor();
    receiver.answers.set('/told', 204);
    await page.getByRole('link', { name: 'The product' }).first().click();
    await button('Test The product');
    await page.locator('main').getByText('Delivered').first().waitFor();
    expect(receiver.at('/told')).toHaveLength(2);

    await page.getByRole('link', { name: 'The product' }).first().click();
    await button('Pause The product');
    await state.getByText('Paused').waitFor();
    await state.getByText('somebody asked for it').waitFor();
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_archive', count: 1 });
    await page.locator('tbody tr').filter({ hasText: 'webhook.received' }).getByText('Waiting').waitFor();
    expect(receiver.at('/told')).toHaveLength(2);
    await button('Resume The product');
    await state.getByText('Active').waitFor();
    await page.locator('tbody').getByText('Delivered').nth(1).waitFor();
    expect(receiver.at('/told')).toHaveLength(3);

    await query(`UPDATE deliveries SET status = 'dead', attempts = 12 WHERE type = 'webhook.received'`);
    const told = page.locator('tbody tr').filter({ hasText: 'webhook.received' });
    await told.getByText('Dead').waitFor();
    await button('Resend what was given up');
    await pages.eventually('sent again', async () => receiver.at('/told').length === 4);
    await told.getByText('Delivered').waitFor();
    await button('Resend what was given up');
    await page.getByText('Nothing was given up that could be sent again.').waitFor();
    expect(receiver.at('/told')).toHaveLength(4);
    await context.close();
  });

  it('the search box leads to what was meant, or says what may be', async () => {
    const { context, page } = await signedIn({}, '/admin');
    const find = async (text: string) => {
      await page.getByLabel('What to find').fill(text);
      await page.keyboard.press('Enter');
    };
    const [{ id: run }] = (await query<{ id: string }>('SELECT id FROM sync_runs LIMIT 1')) as [{ id: string }];
    await find(run);
    await page.waitForURL(`**/admin/sync-runs/${run}`);
    await find('ada');
    await page.waitForURL('**/admin/connections/*');
    await find('slack');
    await page.waitForURL('**/admin/providers/slack');
    await find('nobody-of-that-name');
    await page.getByText('Nothing is found by “nobody-of-that-name”.').waitFor();
    expect(await page.getByLabel('What to find').inputValue()).toBe('nobody-of-that-name');
    await query(`UPDATE connections SET user_id = 'slack'`);
    await find('slack');
    await page.getByText('“slack” may be:').waitFor();
    await page.getByRole('link', { name: /^Connection of this user/ }).click();
    await page.waitForURL('**/admin/connections/*');
    await context.close();
  });
});
