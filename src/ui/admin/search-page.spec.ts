import { v7 as uuidv7 } from 'uuid';
import { HttpReceiver } from '../../integrations/notifications/testing/http-receiver';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

describe('the search box of administrators', () => {
  let pages: PagesFixture;
  let receiver: HttpReceiver;
  let boss: Visitor;
  let stranger: Visitor;
  let operator: Visitor;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    receiver = await HttpReceiver.start();
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    await fetch(`${pages.url}/v1/admin/destinations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'The product', url: receiver.url('/told'), events: ['sync.completed'] }),
    });
    pages.sandbox.control.setAutoConsent('allow');
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    await ada.follow(await ada.post('/settings/integrations/slack/connect'));
    await pages.dataSource.query(`UPDATE connections SET account_name = 'Acme Mail'`);
    await pages.eventually('told', () => idOf('SELECT id FROM deliveries'));
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 1 });
    await pages.eventually('an event', () => idOf('SELECT id FROM webhook_events WHERE connection_id IS NOT NULL'));
    await pages.eventually('a call', () => idOf('SELECT id FROM request_log WHERE tenant IS NOT NULL'));
    await pages.dataSource.query(
      `INSERT INTO alerts (id, kind, key, severity, provider, tenant, state, title, detail, next_step) VALUES ($1::uuid, 'test', 'k', 'critical', 'slack', 'acme', 'open', 'Something is wrong', 'It is.', 'Look.')`,
      [uuidv7()],
    );
    for (const [name, table] of Object.entries({
      connections: 'connections',
      'sync-runs': 'sync_runs',
      'webhook-events': 'webhook_events WHERE connection_id IS NOT NULL',
      requests: `request_log WHERE tenant IS NOT NULL`,
      deliveries: 'deliveries',
      destinations: `destinations WHERE tenant = 'acme'`,
      alerts: 'alerts',
    }))
      ids[name] = (await idOf(`SELECT id FROM ${table} LIMIT 1`)) ?? '';
  });
  afterAll(async () => {
    await pages?.close();
    await receiver?.close();
  });

  const idOf = async (sql: string) => (await pages.dataSource.query<{ id: string }[]>(sql))[0]?.id;
  const search = (visitor: Visitor, text: string) => visitor.get(`/admin/search?q=${encodeURIComponent(text)}`);
  const leadsTo = async (visitor: Visitor, text: string) => {
    const { status, location } = await search(visitor, text);
    return [status, location.replace(pages.url, '')];
  };

  it.each(['connections', 'sync-runs', 'webhook-events', 'requests', 'deliveries', 'destinations', 'alerts'])(
    'an id of %s leads to its page, and nobody else there',
    async (name) => {
      const id = ids[name] ?? '';
      const path = `/admin/${name}/${id}`;
      expect(await leadsTo(boss, id)).toEqual([302, path]);
      expect(await leadsTo(boss, ` ${id.toUpperCase()} `)).toEqual([302, path]);
      expect(await leadsTo(operator, `anything:${id}`)).toEqual([302, path]);
      const page = await boss.get(path);
      expect([page.status, page.text.includes(id)]).toEqual([200, true]);
      const elsewhere = await search(stranger, id);
      expect([elsewhere.status, elsewhere.text.includes('Nothing is found by')]).toEqual([200, true]);
      expect((await stranger.get(path)).status).toBe(404);
    },
  );

  it('a provider’s event, a message, an account, a user, an organization and a provider lead where they are', async () => {
    const [event] = await pages.dataSource.query<{ event_id: string }[]>('SELECT event_id FROM webhook_events WHERE id = $1', [
      ids['webhook-events'],
    ]);
    const [message] = await pages.dataSource.query<{ message_id: string }[]>('SELECT message_id FROM deliveries WHERE id = $1', [
      ids['deliveries'],
    ]);
    expect(await leadsTo(boss, event?.event_id ?? '')).toEqual([302, `/admin/webhook-events/${ids['webhook-events']}`]);
    expect(await leadsTo(boss, message?.message_id ?? '')).toEqual([302, `/admin/deliveries/${ids['deliveries']}`]);
    for (const text of ['acme m', 'ada']) expect(await leadsTo(boss, text)).toEqual([302, `/admin/connections/${ids['connections']}`]);
    expect(await leadsTo(boss, 'slack')).toEqual([302, '/admin/providers/slack']);
    expect((await search(operator, 'acme')).text).toContain('Connection of this organization: Slack, Acme Mail');
    for (const text of ['acme m', 'ada', event?.event_id ?? ''])
      expect((await search(stranger, text)).text).toContain('Nothing is found by');
  });

  it('says what it looks for, and that nothing is found', async () => {
    expect((await search(boss, '')).text).toContain('This looks for the id of a connection');
    const { status, text } = await search(boss, '"><script>alert(1)</script>');
    expect([status, text.includes('<script>alert')]).toEqual([200, false]);
    expect(text).toContain('Nothing is found by “&#34;&#62;&#60;script');
    expect((await boss.get(`/admin/search?q=${'x'.repeat(300)}`)).status).toBe(400);
    expect((await boss.get('/admin/search?other=1')).status).toBe(400);
    const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
    expect((await search(ada, ids['connections'] ?? '')).status).toBe(403);
    expect((await ada.get('/settings/integrations')).text).not.toContain('/admin/search');
  });

  it('the newest alert says how grave it is, and whom it is about', async () => {
    const { text } = await operator.get('/admin/alerts');
    for (const said of ['Critical', `/admin/alerts/${ids['alerts']}`, '<span class="name">acme</span>']) expect(text).toContain(said);
    const one = (await boss.get(`/admin/alerts/${ids['alerts']}`)).text;
    for (const said of ['Something is wrong', 'Look.', 'Acknowledge', '/admin/providers/slack']) expect(one).toContain(said);
  });
});
