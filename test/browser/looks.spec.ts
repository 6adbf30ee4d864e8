import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ConnectionSeals } from '../../src/integrations/connections/seals/connection-seals';
import { StartPageModule } from '../../src/ui/start/start-page.module';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { fillLists, type FilledLists } from './full-lists';
import { CUT_TEXTS, OFF_SCREEN, OVERFLOWING } from './in-page';

jest.setTimeout(300_000);

/** For people to look at; not kept by git. */
const PICTURES = join(__dirname, '..', '..', 'artefacts', 'pages');
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => [390, 1280].map((width) => ({ colorScheme, width })));
const MOST_BYTES = 40 * 1024;
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** What is wrong in the eyes of axe, a line each. */
const FINDINGS = `axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))`;

describeInBrowser('each page, light and dark, on a phone and on a desk, with long names and real ids', () => {
  let pages: PagesFixture;
  let browser: Browser;
  let lists: FilledLists;
  const contexts: Partial<Record<'ada' | 'operator' | 'nobody', BrowserContext>> = {};
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    pages = await startPages({}, [StartPageModule]);
    browser = await launchBrowser();
    lists = await fillLists(pages);
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    contexts.nobody = await browser.newContext();
    contexts.ada = await signedIn({ tenant: lists.tenant, user: lists.user, role: 'user' });
    contexts.operator = await signedIn({ tenant: 'ops', user: 'op', role: 'operator' });
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function signedIn(who: Parameters<PagesFixture['signInLink']>[0]): Promise<BrowserContext> {
    const context = await browser.newContext({ timezoneId: 'Asia/Shanghai' });
    const page = await context.newPage();
    await page.goto(await pages.signInLink(who));
    await page.close();
    return context;
  }

  async function faultsOf(page: Page, path: string, name: string): Promise<string[]> {
    const answer = await page.goto(pages.url + path);
    const bytes = (await answer?.body())?.length ?? 0;
    const faults = bytes > MOST_BYTES ? [`${bytes} bytes`] : [];
    await page.evaluate(AXE);
    for (const { colorScheme, width } of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const look = `${colorScheme}, ${width} px`;
      const outside = await page.evaluate<string | undefined>(OVERFLOWING);
      const hidden = await page.evaluate<string[]>(OFF_SCREEN);
      const cut = await page.evaluate<string[]>(CUT_TEXTS);
      const found = await page.evaluate<string[]>(FINDINGS);
      faults.push(
        ...(outside === undefined ? [] : [`${look}: sticks out: ${outside}`]),
        ...hidden.map((each) => `${look}: to be scrolled to: ${each}`),
        ...cut.map((each) => `${look}: cut: ${each}`),
        ...found.map((each) => `${look}: ${each}`),
      );
      await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
    return faults;
  }

  const VISITS: readonly (readonly [name: string, who: keyof typeof contexts, path: () => string])[] = [
    ['start', 'nobody', () => '/'],
    ['start-operator', 'operator', () => '/'],
    ['not-signed-in', 'nobody', () => '/admin'],
    ['connect', 'nobody', () => lists.connect],
    ['connect-done', 'nobody', () => '/connect/done'],
    ['integrations', 'ada', () => '/settings/integrations'],
    ['integrations-admin', 'operator', () => '/settings/integrations'],
    ['overview', 'operator', () => '/admin'],
    ['provider', 'operator', () => '/admin/providers/slack'],
    ['alerts', 'operator', () => '/admin/alerts'],
    ['alert', 'operator', () => `/admin/alerts/${lists.ids.alert}`],
    ['connections', 'operator', () => '/admin/connections'],
    ['connection', 'operator', () => `/admin/connections/${lists.ids.connection}`],
    ['webhook-events', 'operator', () => '/admin/webhook-events'],
    ['webhook-event', 'operator', () => `/admin/webhook-events/${lists.ids.event}`],
    ['sync-runs', 'operator', () => '/admin/sync-runs'],
    ['sync-run', 'operator', () => `/admin/sync-runs/${lists.ids.run}`],
    ['requests', 'operator', () => '/admin/requests'],
    ['request', 'operator', () => `/admin/requests/${lists.ids.request}`],
    ['deliveries', 'operator', () => '/admin/deliveries'],
    ['delivery', 'operator', () => `/admin/deliveries/${lists.ids.delivery}`],
    ['destinations', 'operator', () => '/admin/destinations'],
    ['destination', 'operator', () => `/admin/destinations/${lists.ids.destination}`],
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
    const faults = await faultsOf(page, path(), name);
    await page.close();
    expect(faults).toEqual([]);
  });

  it('no page made the browser complain', () => expect(complaints).toEqual([]));
});
