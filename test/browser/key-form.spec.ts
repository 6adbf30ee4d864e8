import type { Browser, Page } from 'playwright-core';
import { startPages, type PagesFixture } from '../support/pages-fixture';
import { describeInBrowser, launchBrowser } from './chromium';
import { FOCUSED_ID } from './in-page';

const CARDS = '/settings/integrations';
const WRONG = 'rk_test_wrongwrongwrongwrong';

jest.setTimeout(180_000);

describeInBrowser('a key that is pasted', () => {
  let pages: PagesFixture;
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    pages = await startPages();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function open(user: string, { script = true, role = 'user' as 'user' | 'admin' } = {}): Promise<Page> {
    const context = await browser.newContext({ javaScriptEnabled: script });
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(await pages.signInLink({ tenant: 'acme', user, role }));
    await page.goto(pages.url + CARDS);
    await page.locator('#card-stripe').getByText('Connect with a key').click();
    return page;
  }
  const field = (page: Page) => page.locator('#card-stripe').getByLabel('Stripe key');
  const send = (page: Page) => page.locator('#card-stripe').getByRole('button', { name: 'Connect Stripe with this key' }).click();
  const described = (page: Page) =>
    page.evaluate<string>(
      `document.getElementById('key-stripe').getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id)?.textContent).join(' ')`,
    );

  it('stays in its field when it is refused, with the reason beside it, and stands in no page', async () => {
    const page = await open('ada');
    await field(page).fill(WRONG);
    await send(page);
    await page.locator('#card-stripe [role=alert]').waitFor();
    expect(await described(page)).toMatch(/^Stripe did not accept this key\. Check that the whole key/);
    expect(await field(page).inputValue()).toBe(WRONG);
    expect(await page.evaluate<string>(FOCUSED_ID)).toBe('key-stripe');
    expect(await page.content()).not.toContain(WRONG);
    expect(await page.evaluate<string[]>('[location.href, String(history.state)]')).toEqual([pages.url + CARDS, 'null']);
    await page.context().close();
  });

  it('stays with what else was chosen while the service cannot be reached, and connects afterwards', async () => {
    const page = await open('boss', { role: 'admin' });
    const key = String(pages.sandbox.control.change('stripe', 'keys', { account: 'acct_1Keyed' })['key']);
    await page.route('**/stripe/key', (route) => route.abort());
    await page.locator('#form-key-stripe').getByLabel('Whose it will be').selectOption('admins');
    await field(page).fill(key);
    await send(page);
    await page.getByText('What you filled in is still here').waitFor();
    await page.unroute('**/stripe/key');
    await send(page);
    await page.getByText('Stripe is connected.').waitFor();
    await page.getByText('Your organization’s: used and managed by its administrators.').waitFor();
    await page.context().close();
  });

  it('is asked for again where no script runs, with what else was chosen, and the reason beside it', async () => {
    const page = await open('grace', { script: false, role: 'admin' });
    await page.locator('#form-key-stripe').getByLabel('Whose it will be').selectOption('admins');
    await field(page).fill(WRONG);
    await send(page);
    await page.locator('#card-stripe [role=alert]').waitFor();
    const text = await page.content();
    expect(text).not.toContain(WRONG);
    expect(text).toMatch(/id="key-stripe"[^>]*aria-invalid="true"[^>]*aria-describedby="key-stripe-fault key-stripe-help"/);
    expect(await page.locator('#form-key-stripe').getByLabel('Whose it will be').inputValue()).toBe('admins');
    await page.context().close();
  });

  it('made the browser complain of nothing', () => expect(complaints).toEqual([]));
});
