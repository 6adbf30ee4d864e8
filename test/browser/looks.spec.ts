import type { Browser, BrowserContext, Page, Response } from 'playwright-core';
import { ConnectionSeals } from '../../src/integrations/connections/seals/connection-seals';
import { StartPageModule } from '../../src/ui/start/start-page.module';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { fillLists, type FilledLists } from './full-lists';
import { faultsOfLooks } from './looks';

jest.setTimeout(300_000);

// What pages look like depends on no storage.
const describeLooks = process.env['TEST_DATABASE_URL'] ? describe.skip : describeInBrowser;

describeLooks('each page, light and dark, on a phone and on a desk, with long names and real ids', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let lists: FilledLists;
  const contexts: Partial<Record<'ada' | 'adaInChinese' | 'operator' | 'nobody' | 'nobodyInChinese', BrowserContext>> = {};
  const complaints: string[] = [];

  beforeAll(async () => {
    pages = await startPages({}, [StartPageModule]);
    browser = await launchBrowser();
    lists = await fillLists(pages);
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    const ada = { tenant: lists.tenant, user: lists.user, role: 'user' } as const;
    contexts.nobody = await browser.newContext();
    contexts.nobodyInChinese = await browser.newContext({ locale: 'zh-CN' });
    contexts.ada = await signedIn(ada);
    contexts.adaInChinese = await signedIn(ada, 'zh-CN');
    contexts.operator = await signedIn({ tenant: 'ops', user: 'op', role: 'operator' });
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function signedIn(who: Parameters<PagesFixture['signInLink']>[0], locale = 'en-GB'): Promise<BrowserContext> {
    const context = await browser.newContext({ timezoneId: 'Asia/Shanghai', locale });
    const page = await context.newPage();
    await page.goto(await pages.signInLink(who));
    await page.close();
    return context;
  }

  const VISITS: readonly (readonly [name: string, who: keyof typeof contexts, path: () => string])[] = [
    ['start', 'nobody', () => '/'],
    ['start-operator', 'operator', () => '/'],
    ['api', 'nobody', () => '/docs'],
    ['api-call', 'nobody', () => '/docs/operations/adminDestinationsCreate'],
    ['api-list', 'nobody', () => '/docs/operations/adminHealthRequests'],
    ['not-signed-in', 'nobody', () => '/admin'],
    ['connect', 'nobody', () => lists.connect],
    ['connect-done', 'nobody', () => '/connect/done'],
    ['integrations', 'ada', () => '/settings/integrations'],
    ['integrations-zh', 'adaInChinese', () => '/settings/integrations'],
    ['connect-zh', 'nobodyInChinese', () => lists.connect],
    ['connect-done-zh', 'nobodyInChinese', () => '/connect/done'],
    ['not-signed-in-zh', 'nobodyInChinese', () => '/settings/integrations'],
    ['missing-zh', 'nobodyInChinese', () => '/nothing-here'],
    ['integrations-admin', 'operator', () => '/settings/integrations'],
    ['overview', 'operator', () => '/admin'],
    ['providers', 'operator', () => '/admin/providers'],
    ['provider', 'operator', () => '/admin/providers/slack'],
    ['alerts', 'operator', () => '/admin/alerts'],
    ['alert', 'operator', () => `/admin/alerts/${lists.ids.alert}`],
    ['connections', 'operator', () => '/admin/connections'],
    ['connection', 'operator', () => `/admin/connections/${lists.ids.connection}`],
    ['webhook-events', 'operator', () => '/admin/webhook-events'],
    ['failed-events', 'operator', () => '/admin/failed-events'],
    ['webhook-event', 'operator', () => `/admin/webhook-events/${lists.ids.event}`],
    ['sync-runs', 'operator', () => '/admin/sync-runs'],
    ['sync-run', 'operator', () => `/admin/sync-runs/${lists.ids.run}`],
    ['requests', 'operator', () => '/admin/requests'],
    ['request', 'operator', () => `/admin/requests/${lists.ids.request}`],
    ['deliveries', 'operator', () => '/admin/deliveries'],
    ['delivery', 'operator', () => `/admin/deliveries/${lists.ids.delivery}`],
    ['destinations', 'operator', () => '/admin/destinations'],
    ['destination-new', 'operator', () => '/admin/destinations/new'],
    ['destination-change', 'operator', () => `/admin/destinations/${lists.ids.destination}/change`],
    ['destination', 'operator', () => `/admin/destinations/${lists.ids.destination}`],
    ['audit', 'operator', () => '/admin/audit'],
    ['keys', 'operator', () => '/admin/keys'],
    ['search', 'operator', () => '/admin/search?q=nothing-of-that-name'],
    ['wrong-filter', 'operator', () => '/admin/requests?from=yesterday&unknown=1'],
    ['missing', 'operator', () => '/admin/connections/01890a5d-ac96-774b-bcce-b302099a8057'],
  ];
  it.each(VISITS)('%s', async (name, who, path) => {
    const page = await contexts[who]?.newPage();
    if (!page) throw new Error(`${who} is not signed in`);
    page.on('pageerror', (error) => complaints.push(`${name}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[014]/.test(message.text())) complaints.push(`${name}: ${message.text()}`);
    });
    const faults = await faultsOfLooks(page, () => page.goto(pages.url + path()), name);
    await page.close();
    expect(faults).toEqual([]);
  });

  const DISCONNECT = 'form[action$="/disconnect"]';
  const OPENED: readonly (readonly [name: string, open: (page: Page) => Promise<Response | null>])[] = [
    [
      'disconnect-question',
      async (page) => {
        const answer = await page.goto(`${pages.url}/settings/integrations`);
        await page.locator(`${DISCONNECT} button`).first().click();
        await page.locator('dialog').waitFor();
        return answer;
      },
    ],
    [
      'disconnect-page',
      async (page) => {
        await page.goto(`${pages.url}/settings/integrations`);
        // As where no script runs.
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.url().endsWith('/disconnect')),
          page.evaluate(`document.querySelector('${DISCONNECT}').submit()`),
        ]);
        await page.locator('#confirm').waitFor();
        return answer;
      },
    ],
  ];
  it.each(OPENED.flatMap(([name, open]) => [[name, 'ada', open] as const, [`${name}-zh`, 'adaInChinese', open] as const]))(
    '%s',
    async (name, who, open) => {
      const page = await contexts[who]!.newPage();
      const faults = await faultsOfLooks(page, () => open(page), name);
      await page.close();
      expect(faults).toEqual([]);
    },
  );

  it('no page made the browser complain', () => expect(complaints).toEqual([]));
});
