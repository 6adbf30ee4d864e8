import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startSignInDoor, type SignInDoor } from '../../demo/sign-in-door';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';

jest.setTimeout(180_000);

describeInBrowser('coming in, and having to come in again', () => {
  let pages: PagesFixture;
  let door: SignInDoor;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    const token = (user: string, role: 'user' | 'admin') => pages.app.tokenFor({ tenant: 'acme', user, role });
    door = await startSignInDoor([
      { path: '/ada', title: 'status cards', returnTo: '/settings/integrations', token: () => token('ada', 'user') },
      { path: '/grace', title: 'admin', returnTo: '/admin', token: () => token('grace', 'admin') },
    ]);
    pages = await startPages({ PRODUCT_URL: door.url });
    door.leadsTo(pages.url);
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    door?.stop();
  });
  const signIn = async () => page.goto(await pages.signInLink({ tenant: 'acme', user: 'ada' }));
  const leadsBack = async () => {
    await page.getByRole('link', { name: 'Go to your application' }).click();
    await page.getByRole('heading', { name: "The demo's product" }).waitFor();
  };

  it.each(['/settings/integrations', '/admin', '/admin/alerts', '/session?code=used-up'])(
    'who has no session is told so, and led back: %s',
    async (path) => {
      await page.goto(pages.url + path);
      await leadsBack();
    },
  );

  it('a session that has ended says so', async () => {
    await signIn();
    await pages.dataSource.query(`DELETE FROM browser_sessions`);
    await page.reload();
    await page.getByText('Your session has ended.').waitFor();
    await leadsBack();
  });

  it('signing out leads back', async () => {
    await signIn();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Signed out' }).waitFor();
    await leadsBack();
  });

  it('a link that was used goes on where its person is signed in', async () => {
    const link = await pages.signInLink({ tenant: 'acme', user: 'ada' });
    await page.goto(link);
    await page.goto(link);
    await page.getByRole('heading', { name: 'Integrations' }).waitFor();
  });

  it('each address that the demo prints leads to its page, again and again', async () => {
    const headings: Readonly<Record<string, string>> = { 'status cards': 'Integrations', admin: 'Overview' };
    for (const { title, url } of [...door.doors, ...door.doors]) {
      const own = await browser.newContext();
      const tab = await own.newPage();
      await tab.goto(url);
      await tab.getByRole('heading', { name: headings[title] ?? title, level: 1 }).waitFor();
      await tab.goto(door.url);
      await tab.getByRole('link', { name: title }).click();
      await tab.getByRole('heading', { name: headings[title] ?? title, level: 1 }).waitFor();
      await own.close();
    }
  });
});
