import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPages, type PagesFixture, type Visitor } from './support/pages-fixture';

const PAGE = '/settings/integrations';
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>';

/** Two Latin words beside each other that no name of a provider, an account or a person explains. */
function sentencesIn(page: string): string[] {
  const text = page
    .replace(/<head>[^]*?<\/head>/, '')
    .replace(/<footer>[^]*?<\/footer>/, '')
    .replace(/<(script|template)\b[^]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, '\n');
  return text.replaceAll('API keys', '').match(/[A-Za-z]{2,} [a-z]{2,}[^\n]*/g) ?? [];
}

describe('the pages of a product’s users', () => {
  let pages: PagesFixture;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'looks-'));
    const words = { name: 'Deutsch', words: { 'integrations.title': 'Verbindungen', 'card.connect': 'Verbinden' } };
    writeFileSync(join(folder, 'de.json'), JSON.stringify(words));
    writeFileSync(join(folder, 'logo.svg'), LOGO);
    pages = await startPages({
      LANGUAGES_DIR: folder,
      BRAND_NAME: 'Acme & Sons',
      BRAND_LOGO: join(folder, 'logo.svg'),
      BRAND_COLOR: '#8a2b6b',
    });
    pages.sandbox.control.setAutoConsent('allow');
  });
  afterAll(() => pages.close());

  const post = async (path: string, body: object, user = 'ada') => {
    const authorization = `Bearer ${await pages.app.tokenFor({ tenant: 'acme', user })}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(pages.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  const get = async (path: string, language?: string) => {
    const headers = { accept: 'text/html', ...(language !== undefined && { 'accept-language': language }) };
    const answer = await fetch(new URL(path, pages.url), { headers });
    return { headers: answer.headers, text: await answer.text() };
  };
  const slackIdOf = async (visitor: Visitor) => /connections\/([0-9a-f-]{36})\/disconnect/.exec((await visitor.get(PAGE)).text)?.[1] ?? '';

  it('speak the language of the link that the product made, until the next one', async () => {
    const { body } = await post('/v1/browser-sessions', { lang: 'zh' });
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.get(body['url']!);
    const chinese = (await ada.get(PAGE)).text;
    expect(chinese).toContain('<html lang="zh" dir="ltr">');
    expect(sentencesIn(chinese)).toEqual([]);
    const connected = (await ada.follow(await ada.post(`${PAGE}/slack/connect`))).text;
    expect(connected).toContain('Slack 已连接。');
    const id = await slackIdOf(ada);
    const asked = (await ada.post(`${PAGE}/connections/${id}/disconnect`)).text;
    expect(asked).toContain('删除：删除后无法恢复');
    expect(sentencesIn(asked)).toEqual([]);
    await ada.get((await post('/v1/browser-sessions', {})).body['url']!);
    expect((await ada.get(PAGE)).text).toContain('<html lang="en" dir="ltr">');
    expect((await ada.get(`${PAGE}?lang=de`)).text).toContain('<h1>Verbindungen</h1>');
    expect((await ada.get(PAGE)).text).toContain('Disconnect');
  });

  it('of connecting too', async () => {
    const { body } = await post('/v1/connect-sessions', { provider: 'slack', lang: 'zh-Hans' });
    const page = await get(body['connectUrl']!);
    expect(page.text).toContain('读取应用所在公共频道中的消息');
    expect(sentencesIn(page.text)).toEqual([]);
    for (const path of ['/connect/done', '/connect/slack?session=nothing', PAGE]) {
      const { text } = await get(path, 'zh-CN');
      expect(text).toContain('<html lang="zh"');
      expect(sentencesIn(text.replace(/npm run[^<]*/, ''))).toEqual([]);
    }
  });

  it('refuse what is no language', async () => {
    expect((await post('/v1/browser-sessions', { lang: 'x"><script>' })).status).toBe(400);
    expect((await post('/v1/connect-sessions', { provider: 'slack', lang: '../zh' })).status).toBe(400);
    const { text, headers } = await get(`${PAGE}?lang=%22%3E%3Cscript%3E`);
    expect([text.includes('<script>'), headers.get('set-cookie')]).toEqual([false, null]);
  });

  it('bear the product’s name, logo and color, and load nothing from elsewhere', async () => {
    const ada = await pages.signIn({ tenant: 'acme', user: 'eve' });
    for (const text of [(await ada.get(PAGE)).text, (await get('/connect/done')).text]) {
      expect(text).toContain('<img class="logo" src="/ui/logo" alt="" />');
      expect(text).toContain('<strong>Acme &#38; Sons</strong>');
      expect(text).not.toContain('Trestle');
    }
    const logo = await get('/ui/logo');
    expect([logo.text, logo.headers.get('content-type')]).toEqual([LOGO, 'image/svg+xml']);
    expect(logo.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await get('/ui/trestle.css')).text).toContain('--brand: #8a2b6b; --on-brand: #ffffff;');
    expect((await get('/connect/done')).headers.get('content-security-policy')).toContain("img-src 'self';");
  });

  it('ask at the disconnect whether what was synced stays', async () => {
    const recordsOf = async (id: string) =>
      (await pages.dataSource.query<unknown[]>('SELECT 1 FROM records WHERE connection_id = $1', [id])).length;
    const connected = async (user: string) => {
      const visitor = await pages.signIn({ tenant: 'acme', user });
      await visitor.follow(await visitor.post(`${PAGE}/slack/connect`));
      const id = await slackIdOf(visitor);
      await pages.eventually('records', async () => (await recordsOf(id)) > 0);
      return { visitor, id };
    };
    const kept = await connected('keeper');
    expect((await kept.visitor.post(`${PAGE}/connections/${kept.id}/disconnect`)).text).toMatch(/id="keep-[^"]*"[^>]*checked/);
    const told = await kept.visitor.follow(await kept.visitor.post(`${PAGE}/connections/${kept.id}/disconnect`, { confirmed: 'yes' }));
    expect(told.text).toMatch(/Disconnected[.,] /);
    expect(await recordsOf(kept.id)).toBeGreaterThan(0);
    const gone = await connected('purger');
    const answer = await gone.visitor.post(`${PAGE}/connections/${gone.id}/disconnect`, { confirmed: 'yes', data: 'purge' });
    expect((await gone.visitor.follow(answer)).text).toContain('everything that was synced from it is deleted');
    expect(await recordsOf(gone.id)).toBe(0);
    expect(
      await pages.dataSource.query(`SELECT 1 FROM audit_entries WHERE action = 'connection.purge' AND target = $1`, [
        `connection:${gone.id}`,
      ]),
    ).toHaveLength(1);
  });
});

describe('a logo that lies elsewhere', () => {
  it('is allowed its origin as a picture, and nothing more', async () => {
    const pages = await startPages({ BRAND_LOGO: 'https://cdn.example.com/logo.svg' });
    try {
      for (const path of ['/connect/done', PAGE]) {
        const answer = await fetch(pages.url + path, { headers: { accept: 'text/html' } });
        const policy = answer.headers.get('content-security-policy') ?? '';
        expect(policy).toMatch(/img-src 'self' https:\/\/cdn\.example\.com( data:)?;/);
        expect(policy.replace(/img-src[^;]*/, '')).not.toContain('example.com');
      }
    } finally {
      await pages.close();
    }
  });
});
