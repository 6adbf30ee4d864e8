import type { Browser, Page } from 'playwright-core';
import { PageStreams } from '../../src/ui/live/page-streams';
import { startPages, type PagesFixture, type Person } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { LOADED_AT } from './in-page';

const CARDS = '/settings/integrations';
const ADA = { tenant: 'acme', user: 'ada' };
const BOSS = { tenant: 'acme', user: 'boss', role: 'admin' } as const;

jest.setTimeout(180_000);

describeInBrowser('pages that are open', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let connection: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    pages = await startPages({ WORKERS: 'false' });
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn(ADA);
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    [{ id: connection }] = (await query('SELECT id FROM connections')) as [{ id: string }];
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  const query = (sql: string, params: unknown[] = []) => pages.dataSource.query<object[]>(sql, params);
  async function open(who: Person, path: string): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(await pages.signInLink(who));
    await page.goto(pages.url + path);
    await page.locator('[data-live-mark]').getByText('Live', { exact: true }).waitFor();
    return page;
  }
  /** How long it takes until the page shows what was changed, ms. */
  async function seenAfter(page: Page, change: () => Promise<unknown>, text: string): Promise<number> {
    const loaded = await page.evaluate<number>(LOADED_AT);
    await change();
    const began = performance.now();
    await page.locator('#live').getByText(text).first().waitFor();
    const took = performance.now() - began;
    expect(await page.evaluate<number>(LOADED_AT)).toBe(loaded);
    return took;
  }

  it('cards follow a run as it goes on and keep the focus', async () => {
    const page = await open(ADA, CARDS);
    const button = page.getByRole('button', { name: /Disconnect/ });
    await button.focus();
    const times: number[] = [];
    for (const fetched of [1_300, 1_700, 2_900]) {
      const change = () => query(`UPDATE sync_runs SET status = 'running', fetched = $1, total = 3000`, [fetched]);
      times.push(await seenAfter(page, change, `${fetched.toLocaleString('en')} of 3,000 fetched`));
    }
    process.stderr.write(`cards are up to date after ${times.map((ms) => Math.round(ms)).join(', ')} ms\n`);
    expect(await button.evaluate('document.activeElement.id.startsWith("disconnect-")')).toBe(true);
    await page.context().close();
  });

  it('cards name the resource that is read, how far it has come, and what is next', async () => {
    const page = await open(ADA, CARDS);
    const began = (resource: string, before: number) => () =>
      query(
        `UPDATE sync_runs SET status = 'running', fetched = $1, total = $2, progress = jsonb_build_object('resource', $3::text, 'before', $4::int)`,
        [before + 1_300, resource === 'channels' ? 3_000 : null, resource, before],
      );
    await seenAfter(page, began('channels', 0), 'Channels: 1,300 of 3,000 · Members next');
    await seenAfter(page, began('users', 3_000), 'Members: 1,300 fetched');
    await page.context().close();
  });

  it('a try that failed is told with the next one, whose seconds go by', async () => {
    const page = await open(ADA, CARDS);
    const fail = () =>
      query(
        `UPDATE sync_runs SET status = 'queued', error_code = 'provider_unavailable', error_message = 'x', next_attempt_at = now() + interval '50 seconds'`,
      );
    await seenAfter(page, fail, 'Slack is not answering. Next try in');
    const before = (await page.locator('[data-left]').textContent()) ?? '';
    expect(before).toMatch(/^in \d+ s$/);
    await page.locator('[data-left]').filter({ hasNotText: before }).waitFor();
    await page.context().close();
  });

  it.each([
    ['/admin', () => query(`UPDATE connections SET status = 'needs_reauth'`), '1 connection to be reconnected'],
    [
      '/admin/webhook-events',
      () =>
        query(
          `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, connection_id) VALUES (gen_random_uuid(), 'slack', 'Ev-new', 'just_arrived', 'acme', 'received', $1)`,
          [connection],
        ),
      'just_arrived',
    ],
    ['/admin/sync-runs', () => query(`UPDATE sync_runs SET fetched = 2950, total = 3000, progress = '{}'`), '2,950 of 3,000'],
    [
      '/admin/requests',
      () =>
        query(
          `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, attempt, duration_ms) VALUES (gen_random_uuid(), now(), 'slack', 'acme', $1, 'GET', '/just-called', 200, 'ok', 1, 5)`,
          [connection],
        ),
      '/just-called',
    ],
    [
      '/admin/alerts',
      () =>
        query(
          `INSERT INTO alerts (id, kind, key, severity, provider, tenant, state, title, detail, next_step) VALUES (gen_random_uuid(), 'test', 'k', 'critical', 'slack', 'acme', 'open', 'Just opened', 'x', 'y')`,
        ),
      'Just opened',
    ],
  ])('%s follows', async (path, change, text) => {
    const page = await open(BOSS, path);
    await seenAfter(page, change, text);
    await page.context().close();
  });

  it('tells of what changes after it was opened, however late it is read', async () => {
    const closed = new AbortController();
    const caller = { userId: BOSS.user, tenant: BOSS.tenant, role: BOSS.role, csrfToken: '', sessionId: 'x' };
    const stream = { topic: 'sync-runs', caller, signal: closed.signal, goesOn: async () => true } as const;
    const messages = await pages.app.app.get(PageStreams, { strict: false }).follow(stream);
    await query(`UPDATE sync_runs SET fetched = fetched + 1`);
    expect((await messages.next()).value).toBe('changed');
    closed.abort();
    await messages.return(undefined);
  });

  it('leaves the filter that somebody is filling in as it is', async () => {
    const page = await open(BOSS, '/admin/sync-runs');
    await page.getByLabel('User').fill('half a na');
    await seenAfter(page, () => query(`UPDATE sync_runs SET fetched = 2960, total = 3000`), '2,960 of 3,000');
    expect(await page.getByLabel('User').inputValue()).toBe('half a na');
    await page.context().close();
  });

  it('says that it is paused, and why, when the session ends', async () => {
    const page = await open(ADA, CARDS);
    await query(`DELETE FROM browser_sessions WHERE user_id = 'ada'`);
    await page.locator('main').getByText('Your session has ended.').waitFor();
    await page.locator('[data-live-mark]').getByText('Paused', { exact: true }).waitFor();
    await page.context().close();
  });

  it('is for the page of its own person, and ten at most', async () => {
    const ada = await browser.newContext();
    const page = await ada.newPage();
    await page.goto(await pages.signInLink(ADA));
    const status = (path: string) =>
      page.evaluate(`(async () => {
        const stop = new AbortController();
        (window.streams ??= []).push(stop);
        return (await fetch(${JSON.stringify(path)}, { signal: stop.signal })).status;
      })()`);
    expect(await status('/live/overview')).toBe(403);
    expect(await status('/live/nothing')).toBe(400);
    expect((await fetch(`${pages.url}/live/cards`)).status).toBe(401);
    const other = await pages.app.tokenFor(BOSS);
    expect((await fetch(`${pages.url}/live/cards`, { headers: { authorization: `Bearer ${other}` } })).status).toBe(401);
    const api = await open(BOSS, '/admin'); // a browser takes six of one address: the rest by their own cookie
    const cookie = (await api.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const streams: AbortController[] = [];
    const more = async () => {
      const stop = new AbortController();
      streams.push(stop);
      return (await fetch(`${pages.url}/live/alerts`, { headers: { cookie }, signal: stop.signal })).status;
    };
    for (let own = 2; own <= 10; own++) expect(await more()).toBe(200);
    expect(await more()).toBe(429);
    for (const stop of streams) stop.abort();
    await pages.eventually('a free place', async () => (await more()) === 200);
    for (const stop of streams) stop.abort();
    await api.context().close();
    await ada.close();
  });

  it('news goes, or becomes other news, when what follows says otherwise', async () => {
    await query(`UPDATE connections SET status = 'connected'`);
    await query(`DELETE FROM sync_runs`);
    const page = await open(ADA, CARDS);
    const banners = page.locator('.banner');
    const askForSync = async (): Promise<void> => {
      await page.getByRole('button', { name: /Sync now/ }).click();
      await banners.getByText('The sync has been started.').waitFor();
      await page.locator('[data-live-mark]').getByText('Live', { exact: true }).waitFor();
    };
    const come = (change: string) => () => query(`UPDATE sync_runs SET ${change}`);
    await askForSync();
    await seenAfter(page, come(`status = 'running', fetched = 1300, total = 3000`), '1,300 of 3,000');
    expect(await banners.allTextContents()).toEqual(['The sync has been started.']);
    const failed = `status = 'queued', error_code = 'provider_unavailable', error_message = 'x', next_attempt_at = now() + interval '50 seconds'`;
    await seenAfter(page, come(failed), 'Slack is not answering. Next try in');
    await banners.waitFor({ state: 'detached' });
    await query(`DELETE FROM sync_runs`);
    await page.reload();
    await askForSync();
    await come(`status = 'succeeded', finished_at = now()`)();
    await banners.getByText('The sync is done.').waitFor();
    await page.context().close();
  });

  it('made the browser complain of nothing', () => {
    expect(complaints).toEqual([]);
  });
});
