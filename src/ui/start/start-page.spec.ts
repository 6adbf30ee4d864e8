import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, listen } from '../../bootstrap';
import { loadSettings } from '../../config/env';
import { PROVIDER_SETTINGS } from '../../providers';
import { startPages, type PagesFixture } from '../../../test/support/pages-fixture';
import { StartPageModule } from './start-page.module';

describe('the page at /', () => {
  let pages: PagesFixture;
  afterEach(() => pages?.close());

  it('says what this is and where to go on, to anybody, and nothing of this instance', async () => {
    pages = await startPages({ PRODUCT_URL: 'https://product.test/account' }, [StartPageModule]);
    const answer = await fetch(`${pages.url}/`);
    const text = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const href of ['/settings/integrations', '/admin', '/docs', 'https://product.test/account'])
      expect(text).toContain(`href="${href}"`);
    expect(text).not.toMatch(/slack|127\.0\.0\.1|acme/i);
    const others = [
      await pages.signIn({ tenant: 'acme', user: 'ada' }),
      await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' }),
    ];
    for (const visitor of others) expect((await visitor.get('/')).text).not.toMatch(/slack/i);
  });

  it('tells an operator which addresses are to be registered', async () => {
    pages = await startPages({}, [StartPageModule]);
    const operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    const { text } = await operator.get('/');
    for (const path of ['/auth/slack/callback', '/webhooks/slack', '/webhooks/stripe'])
      expect(text).toContain(`${pages.url}${path}</code>`);
  });

  it('can be switched off, and leaves out a description of the API that is off', async () => {
    pages = await startPages({ START_PAGE: 'false' }, [StartPageModule]);
    expect((await fetch(`${pages.url}/`)).status).toBe(404);
    await pages.close();
    pages = await startPages({ DOCS: 'false' }, [StartPageModule]);
    expect(await (await fetch(`${pages.url}/`)).text()).not.toContain('/docs');
  });

  it('is there where the service runs by itself, and is left to an application around it', async () => {
    pages = await startPages();
    expect((await fetch(`${pages.url}/`)).status).toBe(404);
    const folder = await mkdtemp(join(tmpdir(), 'trestle-start-page-'));
    const settings = loadSettings(
      { NODE_ENV: 'test', PORT: '0', DATA_DIR: folder, LOG_LEVEL: 'silent', SANDBOX: 'off' },
      PROVIDER_SETTINGS,
    );
    const alone = await createApp(settings);
    try {
      expect((await fetch(`${await listen(alone, settings)}/`)).status).toBe(200);
    } finally {
      await alone.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
