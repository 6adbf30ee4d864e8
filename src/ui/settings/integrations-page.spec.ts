import { startPages, type Answer, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const PAGE = '/settings/integrations';
const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>`;

describe('the page of integrations', () => {
  let pages: PagesFixture;
  let ada: Visitor;
  beforeAll(async () => {
    pages = await startPages();
    ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
  }, 120_000);
  afterAll(() => pages.close());

  const connect = async (visitor: Visitor, provider: string): Promise<Answer> => {
    pages.sandbox.control.setAutoConsent('allow');
    return visitor.follow(await visitor.post(`${PAGE}/${provider}/connect`));
  };
  const connectionOf = async (user: string, provider: string): Promise<string> => {
    const [row] = await pages.dataSource.query<{ id: string }[]>('SELECT id FROM connections WHERE user_id = $1 AND provider = $2', [
      user,
      provider,
    ]);
    return row?.id ?? '';
  };
  const synced = (visitor: Visitor, provider: string) =>
    pages.eventually(`${provider} synced`, async () => {
      const card = cardOf((await visitor.get(PAGE)).text, provider);
      return card.includes('Last synced') && !card.includes('data-busy') && card;
    });

  it('shows what is not connected, with a button for each', async () => {
    const { status, text, headers } = await ada.get(PAGE);
    expect(status).toBe(200);
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual(['text/html; charset=utf-8', 'no-store']);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
    for (const provider of ['slack', 'stripe', 'google']) {
      expect(cardOf(text, provider)).toContain('Not connected');
      expect(cardOf(text, provider)).toContain(`action="${PAGE}/${provider}/connect"`);
    }
    expect(text).not.toMatch(/\son\w+=|<script>|style="/);
  });

  it('connects through the consent page and shows the account and its sync', async () => {
    const page = await connect(ada, 'slack');
    expect(page.status).toBe(200);
    expect(page.text).toContain('Slack is connected.');
    const card = await synced(ada, 'slack');
    expect(card).toContain('Connected');
    expect(card).toMatch(/<time datetime="\d{4}-[^"]+Z" title="[\d: -]+ UTC">just now<\/time>/);
    expect(card).toContain('Connect another');
  });

  it('leads to the provider from a page, not by redirects that would have to be known to the policy', async () => {
    const answer = await ada.post(`${PAGE}/slack/connect`);
    expect([answer.status, answer.location]).toEqual([200, '']);
    expect(answer.text).toContain(`content="0;url=${pages.url}/connect/slack?session=`);
    expect((await ada.post(`${PAGE}/nothing/connect`)).status).toBe(404);
  });

  it('tells of a declined consent in our own words', async () => {
    pages.sandbox.control.setAutoConsent('deny');
    const page = await ada.follow(await ada.post(`${PAGE}/google/connect`));
    expect(page.text).toContain('Access was not granted at the provider. Start connecting again and allow the access.');
    expect(cardOf(page.text, 'google')).toContain('Not connected');
  });

  it('echoes nothing of the address', async () => {
    for (const name of ['success', 'error', 'notice', 'connection', 'error_description']) {
      const { status, text } = await ada.get(`${PAGE}?${name}=${encodeURIComponent(HOSTILE)}`);
      expect(status).toBe(200);
      expect(text).not.toContain('alert(');
    }
    expect((await ada.get(`${PAGE}?error=access_denied`)).text).not.toContain('class="banner');
  });

  it('shows hostile names and errors as text', async () => {
    const id = await connectionOf('ada', 'slack');
    await pages.dataSource.query('UPDATE connections SET account_name = $2 WHERE id = $1', [id, HOSTILE]);
    await pages.dataSource.query(
      `UPDATE sync_runs SET status = 'failed', error_code = 'provider_rejected', error_message = $2 WHERE id = (SELECT id FROM sync_runs WHERE connection_id = $1 ORDER BY created_at DESC LIMIT 1)`,
      [id, HOSTILE],
    );
    const { text } = await ada.get(PAGE);
    expect(text).toContain('The last sync failed. &#34;&#62;&#60;script&#62;');
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('<img');
    expect(text.match(/&#60;script&#62;/g)?.length).toBeGreaterThan(4); // heading, labels, question, what is read out, error
  });

  it('asks for a sync, and says so when one is under way', async () => {
    const id = await connectionOf('ada', 'slack');
    const answer = await ada.post(`${PAGE}/connections/${id}/sync`);
    expect([answer.status, answer.location]).toEqual([303, pages.url + PAGE]);
    expect((await ada.follow(answer)).text).toMatch(/The sync has been started|The sync is done/);
    expect(await synced(ada, 'slack')).not.toContain('The last sync failed');
  });

  it('shows how far a running sync is', async () => {
    const id = await connectionOf('ada', 'slack');
    const newest = '(SELECT id FROM sync_runs WHERE connection_id = $1 ORDER BY created_at DESC LIMIT 1)';
    await pages.dataSource.query(
      `UPDATE sync_runs SET status = 'running', fetched = 1200, total = 3000, progress = '{}', lease_until = now() + interval '1 hour' WHERE id = ${newest}`,
      [id],
    );
    const card = cardOf((await ada.get(PAGE)).text, 'slack');
    expect(card).toContain('The first sync is running: 1,200 of 3,000 fetched');
    expect(card).toContain('value="1200" max="3000"');
    expect(card).toContain('data-busy');
    expect(card).not.toContain('Sync now');
    const [waiting] = await pages.dataSource.query<{ id: string }[]>(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, after_run, priority)
       SELECT gen_random_uuid(), connection_id, tenant, provider, 'full', 'manual', 'queued', id, 0 FROM sync_runs WHERE id = ${newest} RETURNING id`,
      [id],
    );
    expect(cardOf((await ada.get(PAGE)).text, 'slack')).toContain('The first sync is running: 1,200 of 3,000 fetched');
    await pages.dataSource.query('DELETE FROM sync_runs WHERE id = $1', [waiting?.id]);
    await pages.dataSource.query(
      `UPDATE sync_runs SET status = 'succeeded', error_code = 'provider_forbidden', error_message = 'Calendar events (2 of 3 read): No.' WHERE id = ${newest}`,
      [id],
    );
    expect(cardOf((await ada.get(PAGE)).text, 'slack')).toContain('The last sync could not read everything. Calendar events (2 of 3 read)');
    await pages.dataSource.query(
      `INSERT INTO sync_parts (connection_id, resource, partition, whole, label, extent, failures, error_code, next_try_at)
       VALUES ($1, 'events', 'work', false, 'Calendar events', NULL, 2, 'provider_forbidden', now() + interval '190 minutes'),
         ($1, 'files', '', false, 'Files', NULL, 1, 'provider_forbidden', now() + interval '30 hours'), ($1, 'messages', '', false, 'Mail', 'Holds the newest 200.', 0, NULL, NULL)`,
      [id],
    );
    const parts = cardOf((await ada.get(PAGE)).text, 'slack');
    expect(parts).toMatch(/Calendar events: tried again <time[^>]*>in 3 hours<\/time>; “Sync now” tries it at once\./);
    expect(parts).toMatch(/class="bad">Files: /);
    expect(parts).not.toMatch(/class="bad">Calendar events: /);
    expect(parts).toContain('Mail: Holds the newest 200.');
    await pages.dataSource.query('DELETE FROM sync_parts');
    await pages.dataSource.query(`UPDATE sync_runs SET error_code = NULL, error_message = NULL WHERE id = ${newest}`, [id]);
  });

  it('refuses a form without the session’s token, from another site, or of somebody else', async () => {
    const id = await connectionOf('ada', 'slack');
    const eve = await pages.signIn({ tenant: 'acme', user: 'eve' });
    for (const token of ['', 'wrong', await eve.csrfToken()]) {
      const answer = await ada.post(`${PAGE}/connections/${id}/disconnect`, { confirmed: 'yes' }, token || ' ');
      expect([answer.status, answer.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8']);
    }
    expect(cardOf((await ada.get(PAGE)).text, 'slack')).toContain('Disconnect');
  });

  it('answers for another person’s connection as for a missing one, an administrator’s own page included', async () => {
    const id = await connectionOf('ada', 'slack');
    for (const person of [
      { tenant: 'acme', user: 'eve' },
      { tenant: 'globex', user: 'ada' },
      { tenant: 'acme', user: 'boss', role: 'admin' } as const,
    ]) {
      const visitor = await pages.signIn(person);
      expect((await visitor.get(PAGE)).text).not.toContain(id);
      for (const verb of ['sync', 'reconnect', 'disconnect']) {
        const answer = await visitor.post(`${PAGE}/connections/${id}/${verb}`);
        expect([verb, answer.status, answer.headers.get('content-type')]).toEqual([verb, 404, 'text/html; charset=utf-8']);
      }
    }
  });

  it('connects with a key, and refuses a wrong one with a sentence', async () => {
    const wrong = await ada.post(`${PAGE}/stripe/key`, { apiKey: 'rk_test_wrongwrongwrong' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('did not accept this key.');
    expect(wrong.text).not.toContain('rk_test_wrong');
    const key = String(pages.sandbox.control.change('stripe', 'keys', { account: 'acct_1Keyed' })['key']);
    const page = await ada.follow(await ada.post(`${PAGE}/stripe/key`, { apiKey: key }));
    expect(page.text).toContain('Stripe is connected.');
    expect(page.text).not.toContain(key);
    expect(page.text).toMatch(/type="password"[^>]*autocomplete="off"/);
  });

  it('offers to reconnect what the provider ended, and keeps the connection', async () => {
    const id = await connectionOf('ada', 'slack');
    pages.sandbox.control.revokeTokens('slack');
    const card = await pages.eventually('reconnect needed', async () => {
      const seen = cardOf((await ada.get(PAGE)).text, 'slack');
      return seen.includes('Reconnect needed') && seen;
    });
    expect(card).toContain('The access that was given has ended. Reconnect the integration to go on.');
    expect(card).not.toContain('Sync now');
    pages.sandbox.control.setAutoConsent('allow');
    const page = await ada.follow(await ada.post(`${PAGE}/connections/${id}/reconnect`));
    expect(cardOf(page.text, 'slack')).not.toContain('Reconnect needed');
    expect(await connectionOf('ada', 'slack')).toBe(id);
  });

  it('asks before it disconnects, and then says what came of it', async () => {
    const id = await connectionOf('ada', 'slack');
    const question = await ada.post(`${PAGE}/connections/${id}/disconnect`);
    expect(question.status).toBe(200);
    expect(question.text).toContain('The access ends at once');
    expect(cardOf((await ada.get(PAGE)).text, 'slack')).toContain('Connected');
    const page = await ada.follow(await ada.post(`${PAGE}/connections/${id}/disconnect`, { confirmed: 'yes' }));
    expect(page.text).toContain('Disconnected. The access has ended at the provider as well.');
    expect(cardOf(page.text, 'slack')).toContain('was connected before');
  });

  it('refuses fields that it does not know', async () => {
    expect((await ada.post(`${PAGE}/slack/connect`, { scopes: 'admin' })).status).toBe(400);
  });

  it('sends who is not signed in to a page that says how to come in', async () => {
    const response = await fetch(pages.url + PAGE, { headers: { accept: 'text/html' } });
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    expect(text).toContain('Open this page from your application again.');
  });

  it('serves style and script, and answers 304 to who has them', async () => {
    for (const name of ['trestle.css', 'trestle.js']) {
      const first = await fetch(`${pages.url}/ui/${name}`);
      const tag = first.headers.get('etag') ?? '';
      expect((await first.text()).length).toBeGreaterThan(100);
      expect((await fetch(`${pages.url}/ui/${name}`, { headers: { 'if-none-match': tag } })).status).toBe(304);
    }
    expect((await fetch(`${pages.url}/ui/constructor`)).status).toBe(404);
  });
});

function cardOf(text: string, provider: string): string {
  return new RegExp(`<li[^>]*id="card-${provider}".*?</li>`, 's').exec(text)?.[0] ?? '';
}
