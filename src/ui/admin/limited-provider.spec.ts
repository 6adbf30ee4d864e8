import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

interface Health {
  readonly provider?: string;
  readonly status: string;
  readonly requests24h: number;
  readonly rateLimited24h: number;
  readonly nextTryAt?: string | null;
}

describe('a provider that asks us to slow down', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let connection: string;

  beforeAll(async () => {
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    pages.sandbox.control.setAutoConsent('allow');
    pages.sandbox.control.addFault({ kind: 'rate-limit', retryAfter: '45', provider: 'slack', endpoint: 'conversations.*' });
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    connection = await pages.eventually('a sync that waits', async () => {
      const rows = await pages.dataSource.query<{ id: string }[]>(
        `SELECT connection_id AS id FROM sync_runs WHERE error_code = 'provider_rate_limited' AND next_attempt_at > now()`,
      );
      return rows[0]?.id;
    });
    await pages.eventually('the calls are counted', async () => (await health('slack')).rateLimited24h > 0);
  });
  afterAll(() => pages?.close());

  const read = async (path: string) => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    return (await fetch(`${pages.url}/v1/admin/${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  };
  const health = async (provider: string) => (await read(`health/${provider}`)) as Health;
  const plain = (text: string) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
  const rowOf = (text: string) =>
    plain(/<tr[^>]*>(?:(?!<\/tr>)[\s\S])*href="\/admin\/providers\/slack"[\s\S]*?<\/tr>/.exec(text)?.[0] ?? '');

  it('is limited, and not down, in the API, with when it is asked again', async () => {
    const seen = await health('slack');
    expect(seen).toMatchObject({ status: 'limited', nextTryAt: expect.stringMatching(/Z$/) as string });
    expect(Date.parse(seen.nextTryAt ?? '')).toBeGreaterThan(Date.now());
    const { data } = (await read('health')) as { data: Health[] };
    expect(data.find(({ provider }) => provider === 'slack')).toMatchObject({ status: 'limited', nextTryAt: seen.nextTryAt });
    expect(data.find(({ provider }) => provider === 'google')).toMatchObject({ status: 'unknown', nextTryAt: null });
    const connections = (await read('health/slack/connections')) as { data: (Health & { connectionId: string })[] };
    expect(connections.data).toMatchObject([{ connectionId: connection, status: 'limited' }]);
    expect(connections.data[0]?.rateLimited24h).toBeGreaterThan(0);
  });

  it('is so on the overview and on its page', async () => {
    const { text } = await boss.get('/admin');
    expect(plain(text)).toContain('Providers and this side work; some providers ask us to slow down');
    expect(plain(text)).toMatch(/Limits Slack asks us to slow down: \d+ of \d+ requests? of the last hour were put off/);
    expect(rowOf(text)).toMatch(/Asks to slow down .*put off, as it asks us to slow down ?; next try in \d+ s/);
    expect(rowOf(text)).not.toContain('Down');
    const own = plain((await boss.get('/admin/providers/slack')).text);
    expect(own).toContain('Asks to slow down');
    expect(own).not.toMatch(/\bDown\b/);
  });

  it('is down where more than its limits fails', async () => {
    await pages.dataSource.query(`UPDATE figures SET failed = 6 * failed WHERE provider = 'slack'`);
    await pages.dataSource.query(`UPDATE request_buckets SET failed = 6 * failed WHERE provider = 'slack'`);
    expect(await health('slack')).toMatchObject({ status: 'down' });
    const connections = (await read('health/slack/connections')) as { data: Health[] };
    expect(connections.data).toMatchObject([{ status: 'down' }]);
    expect(plain((await boss.get('/admin')).text)).toContain('It is them: calls to providers fail.');
  });
});
