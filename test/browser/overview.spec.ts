import type { Browser, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

jest.setTimeout(180_000);

describeInBrowser("the overview's first line", () => {
  let pages: PagesFixture;
  let browser: Browser;
  let page: Page;
  let connection: string;

  beforeAll(async () => {
    pages = await startPages({ WORKERS: 'false' });
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    [{ id: connection }] = (await query('SELECT id FROM connections')) as [{ id: string }];
    browser = await launchBrowser();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(await pages.signInLink({ tenant: 'acme', user: 'boss', role: 'admin' }));
  });
  beforeEach(async () => {
    for (const table of ['request_buckets', 'figures', 'webhook_events', 'alerts']) await query(`DELETE FROM ${table}`);
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });
  const query = (sql: string, params: unknown[] = []) => pages.dataSource.query<object[]>(sql, params);
  const first = async () => {
    await page.goto(`${pages.url}/admin`);
    return (await page.locator('.verdict').innerText()).replace(/\s+/g, ' ');
  };
  const slackRow = async () => (await page.getByRole('row').filter({ hasText: 'Slack' }).first().innerText()).replace(/\s+/g, ' ');
  const traffic = async (ok: number, failed: number, minutesAgo: number) => {
    await query(
      `INSERT INTO figures AS f (tenant, slot, provider, ok, failed)
       SELECT whose, to_timestamp(floor(extract(epoch FROM now() - $3 * interval '1 minute') / 300) * 300), 'slack', $1, $2 FROM unnest(ARRAY['', 'acme']) whose
       ON CONFLICT (tenant, slot, provider) DO UPDATE SET ok = f.ok + excluded.ok, failed = f.failed + excluded.failed`,
      [ok, failed, minutesAgo],
    );
    await query(
      `INSERT INTO request_buckets (minute, provider, tenant, connection_id, ok, failed, server_errors, duration_ms) VALUES (date_trunc('minute', now()) - $4 * interval '1 minute', 'slack', 'acme', $1, $2, $3, 0, 5)`,
      [connection, ok, failed, minutesAgo],
    );
  };
  const failingEvents = (count: number) =>
    query(
      `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, attempts, connection_id, next_attempt_at) SELECT gen_random_uuid(), 'slack', 'e' || n, 'x', 'acme', 'failed', 3, $1, now() + interval '1 hour' FROM generate_series(1, $2) n`,
      [connection, count],
    );

  it('all is well', async () => {
    await traffic(10, 0, 5);
    expect(await first()).toBe('All is well: nothing fails, and no alert is open.');
    expect(await slackRow()).toContain('Healthy');
  });

  it('it is them: how many calls, since when, of whom', async () => {
    await traffic(1, 5, 12);
    await traffic(4, 2, 3);
    const text = await first();
    expect(text).toContain('It is them: calls to providers fail. Nothing on this side does.');
    // Traffic is known by the minute, so it began up to a minute before.
    expect(text).toMatch(/Slack: 7 of 12 requests of the last hour failed, since 1[23] minutes ago; 1 organization, 1 connection/);
    const bars = page.getByRole('img', { name: /^Failed requests by the hour: 7 in 24 hours/ });
    expect(await bars.count()).toBe(2); // of all, and of Slack
    expect(await page.getByRole('img', { name: '95 of 100 calls within by the hour: nothing in 24 hours' }).count()).toBe(1);
  });

  it('it is us: handlers that fail; no provider is called healthy beside them', async () => {
    await traffic(10, 0, 5);
    await failingEvents(12);
    const text = await first();
    expect(text).toContain('It is us: something on this side fails. The providers answer.');
    expect(text).toContain('Events of Slack fail in their handlers: 12 tried again');
    const row = await slackRow();
    expect(row).toContain('Needs attention');
    expect(row).toContain('12 events failing, tried again');
    expect(row).not.toContain('Healthy');
  });

  it('it is both', async () => {
    await traffic(0, 5, 5);
    await failingEvents(1);
    expect(await first()).toContain('It is both');
  });

  it('counts open alerts, however many', async () => {
    await query(
      `INSERT INTO alerts (id, kind, key, severity, provider, tenant, state, title, detail, next_step) SELECT gen_random_uuid(), 'connection_lost', 'k' || n, 'warning', 'slack', 'acme', 'open', 'Lost', 'Lost.', 'Look.' FROM generate_series(1, 1234) n`,
    );
    expect(await first()).toContain('1,234 open alerts of single connections or providers');
    expect(await slackRow()).toContain('1,234 open alerts');
    await page.getByRole('heading', { name: 'Open alerts: 1,234' }).waitFor();
  });

  it("tells an administrator nothing of another organization's", async () => {
    await traffic(0, 5, 5);
    await failingEvents(1);
    const other = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    expect((await other.get('/admin')).text).toContain('All is well');
  });
});
