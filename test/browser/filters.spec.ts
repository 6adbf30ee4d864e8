import type { Browser, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { v7 as uuidv7 } from 'uuid';

const LISTS = ['/admin/webhook-events', '/admin/sync-runs', '/admin/requests'];
const PAGES = [...LISTS, '/admin/alerts', '/admin/connections', '/admin/deliveries', '/admin/destinations'];

jest.setTimeout(180_000);

describeInBrowser('the filters of the lists', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
    await fill();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  /** Two accounts, of ada and of bob; of each an event, a run and a request, an hour apart. */
  async function fill(): Promise<void> {
    for (const [user, account, hour] of [
      ['ada', 'Acme Mail', '10'],
      ['bob', 'Zebra Mail', '11'],
    ] as const) {
      const visitor = await pages.signIn({ tenant: 'acme', user });
      pages.sandbox.control.setAutoConsent('allow');
      await visitor.follow(await visitor.post('/settings/integrations/slack/connect'));
      const query = (sql: string, ...params: unknown[]) => pages.dataSource.query<{ id: string }[]>(sql, params);
      const [row] = await query(`SELECT id FROM connections WHERE user_id = $1`, user);
      const id = row?.id;
      await query(`UPDATE connections SET account_name = $2, account_id = $3 WHERE id = $1`, id, account, `T-${user}`);
      const at = `2026-03-01T${hour}:00:00Z`;
      await query(
        `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, connection_id, received_at) VALUES ($5, 'slack', $1, $2, 'acme', 'completed', $3, $4)`,
        ...[`Ev-${user}`, `channel.${user}_renamed`, id, at, uuidv7({ msecs: Date.parse(at) })],
      );
      await query(
        `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, resources, created_at, error_code, error_message) VALUES (gen_random_uuid(), $1, 'acme', 'slack', 'full', 'schedule', 'failed', '{}', $2, 'provider_rejected', $3)`,
        ...[id, at, `channel.${user}`],
      );
      await query(
        `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, attempt, duration_ms, operation) VALUES (gen_random_uuid(), $2, 'slack', 'acme', $1, 'GET', $3, 200, 'ok', 1, 5, 'listing')`,
        ...[id, at, `/channel.${user}`],
      );
    }
  }
  const shown = async () => {
    const text =
      (await page
        .locator('table')
        .textContent({ timeout: 2_000 })
        .catch(() => '')) ?? '';
    return ['ada', 'bob'].filter((user) => text.includes(`channel.${user}`));
  };

  it('asks for times in the zone of whoever reads, says UTC beside them, and keeps them so', async () => {
    const context = await browser.newContext({ timezoneId: 'Asia/Shanghai' });
    const away = await context.newPage();
    await away.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
    await away.goto(`${pages.url}/admin/requests`);
    const from = away.getByLabel(/^From \((CST|GMT\+8)\)/);
    await from.fill('2026-03-01T18:30');
    await away.getByText('2026-03-01 10:30 UTC').waitFor();
    await away.getByLabel(/^To \(/).fill('2026-03-01T23:00');
    await away.getByRole('button', { name: 'Show' }).click();
    await away.locator('table').getByText('/channel.bob').waitFor();
    expect(await away.locator('table').textContent()).not.toContain('/channel.ada');
    const { searchParams } = new URL(away.url());
    expect([searchParams.get('from'), searchParams.get('to')]).toEqual(['2026-03-01T10:30Z', '2026-03-01T15:00Z']);
    expect(await from.inputValue()).toBe('2026-03-01T18:30');
    await away.goto(`${pages.url}/admin/requests?from=2026-07-01T10:30Z&to=`);
    expect([await from.inputValue(), await away.locator('[name=to]').inputValue()]).toEqual(['2026-07-01T18:30', '']);
    // A link may say its own zone, or seconds.
    await away.goto(`${pages.url}/admin/requests?from=2026-07-01T12:30:00%2B02:00&to=2026-07-01T10:30:05`);
    expect([await from.inputValue(), await away.getByLabel(/^To \(/).inputValue()]).toEqual(['2026-07-01T18:30', '2026-07-01T18:30:05']);
    await context.close();
  });

  it('asks for times in UTC where there is no script', async () => {
    const context = await browser.newContext({ timezoneId: 'Asia/Shanghai', javaScriptEnabled: false });
    const away = await context.newPage();
    await away.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
    await away.goto(`${pages.url}/admin/requests`);
    await away.getByLabel('From (UTC)').fill('2026-03-01T10:30');
    await away.getByLabel('To (UTC)').fill('2026-03-01T15:00');
    await away.getByRole('button', { name: 'Show' }).click();
    await away.locator('table').getByText('/channel.bob').waitFor();
    expect(await away.locator('table').textContent()).not.toContain('/channel.ada');
    await context.close();
  });

  it.each([
    ['/admin/alerts', 'state', 'nonsense', 'Choose one of the list.'],
    ['/admin/webhook-events', 'connectionId', 'x', 'This is no id'],
    ['/admin/webhook-events', 'from', 'yesterday', 'Write a time such as'],
    ['/admin/sync-runs', 'status', 'nonsense', 'Choose one of the list.'],
    ['/admin/requests', 'connection', 'x', 'This is no id'],
    ['/admin/requests', 'outcome', 'fine', 'Choose one of the list.'],
  ])('%s keeps the page and the other filters where %s is wrong', async (path, field, value, sentence) => {
    const answer = await page.goto(`${pages.url}${path}?provider=slack&${field}=${value}`.replace('provider=slack&state', 'state'));
    expect(answer?.status()).toBe(400);
    const input = page.locator(`[name="${field}"]`);
    expect(await input.getAttribute('aria-invalid')).toBe('true');
    const fault = await page.locator(`#${await input.getAttribute('aria-describedby')}`).textContent();
    expect(fault).toContain(sentence);
    if ((await page.locator('[name="provider"]').count()) > 0) expect(await page.locator('[name="provider"]').inputValue()).toBe('slack');
    await page.getByText('Nothing is shown until the filter is put right.').waitFor();
    await page.getByRole('navigation').waitFor();
    if (path === '/admin/requests' && field === 'connection') {
      await input.fill('');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.locator('table').waitFor();
    }
  });

  it.each(PAGES)('%s says which filter or place in the list it does not know', async (path) => {
    await page.goto(`${pages.url}${path}?unknown=1`);
    await page.getByText('This page knows no such filter.').waitFor();
    await page.goto(`${pages.url}${path}?cursor=e30`);
    await page.getByText('The list does not go on from there.').waitFor();
  });

  it.each([true, false])('fold on a phone, and open by the keyboard and where one is set; script: %s', async (javaScriptEnabled) => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, javaScriptEnabled });
    const phone = await context.newPage();
    await phone.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
    await phone.goto(`${pages.url}/admin/requests?userId=`);
    const [user, rows] = [phone.getByLabel('User'), phone.getByRole('row').nth(1)];
    expect(await user.isVisible()).toBe(false);
    expect((await rows.boundingBox())?.y).toBeLessThan(844);
    await phone.locator('summary').focus();
    await phone.keyboard.press('Enter');
    await user.fill('ada');
    await phone.getByRole('button', { name: 'Show' }).click();
    await phone.getByText('Filter (1)').waitFor();
    expect([await user.isVisible(), await user.inputValue()]).toEqual([true, 'ada']);
    await phone.goto(`${pages.url}/admin/requests?from=yesterday`);
    await phone.getByText('Write a time such as').waitFor();
    await phone.setViewportSize({ width: 1280, height: 844 });
    await phone.goto(`${pages.url}/admin/requests`);
    expect([await user.isVisible(), await phone.locator('summary').isVisible()]).toEqual([true, false]);
    await context.close();
  });

  it.each(LISTS)('%s filters by user, account and time', async (path) => {
    await page.goto(`${pages.url}${path}?to=2026-04-01T00:00`);
    expect(await shown()).toEqual(['ada', 'bob']);
    await page.getByLabel('User').fill('ada');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/userId=ada/);
    expect(await shown()).toEqual(['ada']);
    for (const [filter, users] of [
      ['account=zebra', ['bob']],
      ['account=T-ada', ['ada']],
      ['account=nobody', []],
      ['from=2026-03-01T10:30&to=2026-04-01T00:00', ['bob']],
      ['to=2026-03-01T11:00', ['ada']],
    ] as const) {
      await page.goto(`${pages.url}${path}?${filter}`);
      expect([filter, await shown()]).toEqual([filter, users]);
    }
  });

  it('takes the beginning of a type and of an event id', async () => {
    for (const [filter, users] of [
      ['type=channel.', ['ada', 'bob']],
      ['type=channel.b', ['bob']],
      ['eventId=Ev-a', ['ada']],
      ['eventId=v-a', []],
    ] as const) {
      await page.goto(`${pages.url}/admin/webhook-events?${filter}`);
      expect([filter, await shown()]).toEqual([filter, users]);
    }
  });

  it.each([
    ['webhook-events?userId=ada&type=channel.*', 1],
    ['webhook-events?type=channel.', 0],
    ['webhook-events?account=zebra&receivedTo=2026-04-01T00:00:00Z', 1],
    ['sync-runs?userId=bob&trigger=schedule&type=full&to=2026-04-01T00:00:00Z', 1],
    ['requests?account=acme&operation=listing&from=2026-03-01T09:00:00Z&to=2026-03-01T10:01:00Z', 1],
    ['requests?userId=nobody', 0],
    ['connections?account=zeb', 1],
  ])('the API takes the same: %s', async (address, count) => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    const answer = await fetch(`${pages.url}/v1/admin/${address}`, { headers: { authorization: `Bearer ${token}` } });
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(count);
    const other = await pages.app.tokenFor({ tenant: 'globex', user: 'boss', role: 'admin' });
    const foreign = await fetch(`${pages.url}/v1/admin/${address}`, { headers: { authorization: `Bearer ${other}` } });
    expect(((await foreign.json()) as { data: unknown[] }).data).toHaveLength(0);
  });
});
