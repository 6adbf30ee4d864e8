import { escapeHtml } from '../../http-api';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

interface Setup {
  readonly redirect: string | null;
  readonly webhooks: string | null;
  readonly findings: readonly {
    readonly check: string;
    readonly state: string;
    readonly detail: string;
    readonly nextStep: string | null;
  }[];
}

describe('providers, and how this server is set up for them', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let operator: Visitor;

  beforeAll(async () => {
    pages = await startPages({ GOOGLE_CLIENT_SECRET: 'another-secret-than-the-registered' });
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
  });
  afterAll(() => pages?.close());

  const call = async (method: 'GET' | 'POST', provider: string, role: 'admin' | 'operator' = 'operator') => {
    const token = await pages.app.tokenFor({ tenant: 'ops', user: 'op', role });
    const path = `/v1/admin/providers/${provider}/setup${method === 'POST' ? '/check' : ''}`;
    return fetch(pages.url + path, { method, headers: { authorization: `Bearer ${token}` } });
  };
  const setup = async (method: 'GET' | 'POST', provider: string) => (await (await call(method, provider)).json()) as Setup;
  const found = (seen: Setup, check: string) => seen.findings.find((each) => each.check === check);

  it('lists the addresses to register of each that is set up, and names the others', async () => {
    const { text } = await boss.get('/admin/providers');
    for (const address of ['/auth/slack/callback', '/webhooks/slack', '/auth/google/callback', '/webhooks/stripe'])
      expect(text).toContain(`${pages.url}${address}</code>`);
    expect(text).toContain('href="/admin/providers/github"');
  });

  it('a client that the provider knows is told from one that it does not', async () => {
    for (const [provider, state] of [
      ['slack', 'ok'],
      ['stripe', 'ok'],
      ['google', 'fault'],
    ] as const) {
      const client = found(await setup('POST', provider), 'client');
      expect([provider, client?.state, client?.detail]).toEqual([provider, state, expect.any(String)]);
    }
    expect(found(await setup('POST', 'google'), 'client')?.nextStep).toContain('GOOGLE_CLIENT_SECRET');
    expect(found(await setup('GET', 'google'), 'client')).toBeUndefined();
  });

  it('says that secrets of webhooks came unsigned, how many and when, and shows none of them', async () => {
    const body = JSON.stringify({ verification_token: 'secret_of_an_app_0123456789abcdef' });
    const tell = (text: string) =>
      fetch(`${pages.url}/webhooks/notion`, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
    expect(found(await setup('GET', 'notion'), 'webhooks')?.detail).not.toContain('unsigned');
    expect((await tell(body)).status).toBe(200);
    expect(found(await setup('GET', 'notion'), 'webhooks')?.detail).toMatch(/A secret came to this process unsigned, the newest at \d{4}-/);
    // A stranger can push it out: what to do then is said.
    for (let n = 0; n < 12; n++) await tell(JSON.stringify({ verification_token: `secret_of_a_stranger_${n}` }));
    const { text } = await operator.get('/admin/providers/notion');
    expect(text).toContain('10 secrets came to this process unsigned');
    expect(text).toContain('have Notion send it again');
    expect(text).not.toContain('secret_of_');
    expect((await boss.get('/admin/providers/notion')).text).not.toContain('unsigned');
  });

  it('a provider that does not answer is not called misconfigured', async () => {
    pages.sandbox.control.addFault({ provider: 'slack', kind: 'status', status: 503, count: 50 });
    expect(found(await setup('POST', 'slack'), 'client')?.state).toBe('unknown');
    pages.sandbox.control.clearFaults({ provider: 'slack' });
  });

  it('tells whether deliveries arrive, and how many are refused', async () => {
    expect(found(await setup('GET', 'slack'), 'webhooks')?.state).toBe('unknown');
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    expect(found(await setup('GET', 'slack'), 'webhooks')).toMatchObject({
      state: 'attention',
      detail: expect.stringContaining('none in'),
    });
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 1 });
    await pages.eventually('a delivery', async () => found(await setup('GET', 'slack'), 'webhooks')?.state === 'ok');
    const forged = { 'x-slack-signature': 'v0=00', 'x-slack-request-timestamp': String(Math.floor(Date.now() / 1_000)) };
    expect((await fetch(`${pages.url}/webhooks/slack`, { method: 'POST', headers: forged, body: '{}' })).status).toBe(401);
    await pages.eventually('a refusal', async () => found(await setup('GET', 'slack'), 'webhooks')?.detail.startsWith('1 deliver'));
  });

  it('the page says what the API says, to operators', async () => {
    const seen = await setup('GET', 'slack');
    const { text } = await operator.get('/admin/providers/slack');
    for (const { detail, nextStep } of seen.findings) expect(text).toContain(`${escapeHtml(detail)} ${escapeHtml(nextStep ?? '')}`.trim());
    expect(text).toContain(`${seen.redirect}</code>`);
    expect(text).toContain(`${seen.webhooks}</code>`);
    expect((await call('GET', 'slack', 'admin')).status).toBe(403);
    expect((await call('GET', 'nothing')).status).toBe(404);
    expect((await boss.get('/admin/providers/slack')).text).not.toContain('Check it now');
    expect((await boss.post('/admin/providers/slack/check')).status).toBe(403);
    const asked = await operator.post('/admin/providers/google/check');
    expect(asked.text).toContain('To be mended');
    expect(asked.text).toContain('GOOGLE_CLIENT_SECRET');
    expect(asked.text).not.toContain('another-secret-than-the-registered');
  });

  it('says which limits calls are held to', async () => {
    const { text } = await boss.get('/admin/providers/stripe');
    expect(text).toContain('Limits that calls are held to');
    expect(text).toMatch(/a second<\/td>/);
  });
});
