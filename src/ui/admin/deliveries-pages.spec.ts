import { HttpReceiver } from '../../integrations/notifications/testing/http-receiver';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

describe('destinations and deliveries, for administrators', () => {
  let pages: PagesFixture;
  let receiver: HttpReceiver;
  let boss: Visitor;
  let stranger: Visitor;
  let operator: Visitor;
  let destination: string;

  beforeAll(async () => {
    receiver = await HttpReceiver.start();
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    const answer = await fetch(`${pages.url}/v1/admin/destinations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'The product', url: receiver.url('/told'), events: ['sync.completed', 'webhook.received'] }),
    });
    destination = ((await answer.json()) as { id: string }).id;
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    await pages.eventually('a delivery of the first sync', async () => (await deliveries('sync.completed')).length > 0);
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 1 });
    await pages.eventually('a delivery of the event', async () => (await deliveries('webhook.received')).length > 0);
  });
  afterAll(async () => {
    await pages?.close();
    await receiver?.close();
  });

  const query = <T>(sql: string, params: unknown[] = []): Promise<T[]> => pages.dataSource.query<T[]>(sql, params);
  const deliveries = (type: string) =>
    query<{ id: string; status: string; connection_id: string }>(
      `SELECT e.id, e.status, m.connection_id FROM deliveries e JOIN outbox m ON m.id = e.message_id WHERE e.type = $1 ORDER BY e.created_at DESC`,
      [type],
    );
  const delivered = (id: string | undefined) =>
    pages.eventually(
      'delivered',
      async () => (await query(`SELECT 1 FROM deliveries WHERE id = $1 AND status = 'delivered'`, [id])).length > 0,
    );
  const linksOf = (text: string, path: string) =>
    [...text.matchAll(new RegExp(`href="(${path}[^"]*)"`, 'g'))].map(([, href = '']) => href.replaceAll('&#38;', '&'));

  it('shows the state of a destination, to its organization and to operators alone', async () => {
    const list = (await boss.get('/admin/destinations')).text;
    for (const said of ['The product', receiver.url('/told'), 'sync.completed, webhook.received', 'Active']) expect(list).toContain(said);
    expect((await stranger.get('/admin/destinations')).text).not.toContain(destination);
    expect((await operator.get('/admin/destinations')).text).toContain('<span class="name">acme</span>');
    expect((await boss.get(`/admin/destinations/${destination}`)).text).toContain('/admin/deliveries/');
    expect((await stranger.get(`/admin/destinations/${destination}`)).status).toBe(404);
    for (const act of ['test', 'pause', 'resume', 'resend'])
      expect([act, (await stranger.post(`/admin/destinations/${destination}/${act}`)).status]).toEqual([act, 404]);
  });

  it('sends a test, and shows what came of it', async () => {
    receiver.answers.set('/told', 503);
    const failed = await boss.follow(await boss.post(`/admin/destinations/${destination}/test`));
    expect(failed.text).toContain('A test was sent.');
    expect(failed.text).toContain('503');
    receiver.answers.set('/told', 200);
    expect((await boss.follow(await boss.post(`/admin/destinations/${destination}/test`))).text).toContain('Delivered');
    expect((await boss.get('/admin/deliveries?type=destination.test')).text.match(/destination\.test<\/td>/g)).toHaveLength(2);
  });

  it('pauses and resumes', async () => {
    const paused = await boss.follow(await boss.post(`/admin/destinations/${destination}/pause`));
    expect(paused.text).toContain('The destination is paused.');
    expect(paused.text).toContain('somebody asked for it');
    const resumed = await boss.follow(await boss.post(`/admin/destinations/${destination}/resume`));
    expect(resumed.text).toContain('The destination is resumed.');
  });

  it('shows each try of a delivery, and sends it again', async () => {
    const [delivery] = await deliveries('sync.completed');
    await delivered(delivery?.id);
    const path = `/admin/deliveries/${delivery?.id}`;
    const before = receiver.at('/told').length;
    expect((await stranger.get(path)).status).toBe(404);
    expect((await stranger.post(`${path}/resend`)).status).toBe(404);
    const again = await boss.follow(await boss.post(`${path}/resend`));
    expect(again.text).toContain('It is sent again.');
    await pages.eventually('sent again', () => Promise.resolve(receiver.at('/told').length > before));
    await delivered(delivery?.id);
    expect((await boss.get(path)).text.match(/Answer">200<\/td>/g)).toHaveLength(2);
  });

  it('sends again what was given up', async () => {
    expect((await boss.follow(await boss.post(`/admin/destinations/${destination}/resend`))).text).toContain('Nothing was given up');
    const [delivery] = await deliveries('webhook.received');
    await delivered(delivery?.id);
    await query(`UPDATE deliveries SET status = 'dead', delivered_at = NULL WHERE id = $1`, [delivery?.id]);
    expect((await boss.get('/admin/deliveries?status=dead')).text).toContain(`/admin/deliveries/${delivery?.id}`);
    expect((await boss.follow(await boss.post(`/admin/destinations/${destination}/resend`))).text).toContain(
      'What was given up is sent again.',
    );
    await delivered(delivery?.id);
  });

  it.each([
    ['sync.completed', '/admin/sync-runs/'],
    ['webhook.received', '/admin/webhook-events/'],
  ])('%s leads to what it tells of, and that leads back', async (type, subject) => {
    const [delivery] = await deliveries(type);
    const own = `/admin/deliveries/${delivery?.id}`;
    const { text } = await boss.get(own);
    expect(linksOf(text, '/admin/connections/')).toContain(`/admin/connections/${delivery?.connection_id}`);
    const [about = ''] = linksOf(text, subject);
    const subjectPage = await boss.get(about);
    expect(subjectPage.status).toBe(200);
    for (const visitor of [boss, operator]) {
      const [back = ''] = linksOf(subjectPage.text, '/admin/deliveries\\?');
      expect((await visitor.get(back)).text).toContain(own);
    }
    const [ofConnection = ''] = linksOf((await boss.get(`/admin/connections/${delivery?.connection_id}`)).text, '/admin/deliveries\\?');
    expect((await boss.get(ofConnection)).text).toContain(own);
  });

  it('filters deliveries', async () => {
    const [delivery] = await deliveries('webhook.received');
    const own = `/admin/deliveries/${delivery?.id}`;
    for (const [search, visitor, isShown] of [
      [`destination=${destination}`, boss, true],
      [`connection=${delivery?.connection_id}`, boss, true],
      ['status=delivered&type=webhook.received', boss, true],
      ['type=sync.failed', boss, false],
      ['from=2999-01-01T00:00', boss, false],
      ['to=2020-01-01T00:00', boss, false],
      ['tenant=globex', boss, false],
      ['', stranger, false],
      ['tenant=acme', stranger, false],
      ['tenant=acme', operator, true],
      ['tenant=globex', operator, false],
    ] as const)
      expect([search, (await visitor.get(`/admin/deliveries?${search}`)).text.includes(own)]).toEqual([search, isShown]);
    for (const wrong of ['status=fine', 'type=x', 'destination=x', 'unknown=1'])
      expect([wrong, (await boss.get(`/admin/deliveries?${wrong}`)).status]).toEqual([wrong, 400]);
  });

  it('adds a destination by form, and shows its secret once', async () => {
    const wrong = await boss.post('/admin/destinations/new', { name: 'Second', url: 'nothing', webhookTypes: 'slack' });
    expect(wrong.status).toBe(400);
    for (const said of ['value="Second"', 'must be an http(s) URL', 'Choose what it is to be told of', 'must be provider/type'])
      expect(wrong.text).toContain(said);
    const fields = {
      name: 'Second',
      url: receiver.url('/second'),
      events: 'sync.failed',
      match: 'data.provider = slack, 3',
      ordered: 'yes',
    };
    const made = await boss.post('/admin/destinations/new', fields);
    const secret = /whsec_[A-Za-z0-9+/=]+/.exec(made.text)?.[0] ?? '';
    expect(secret).not.toBe('');
    const [added] = await query<{ id: string; tenant: string; ordered: boolean; match: object }>(
      `SELECT id, tenant, ordered, match FROM destinations WHERE name = 'Second'`,
    );
    expect(added).toMatchObject({ tenant: 'acme', ordered: true, match: { 'data.provider': ['slack', 3] } });
    const own = `/admin/destinations/${added?.id}`;
    expect((await boss.get(own)).text).not.toContain(secret);
    expect((await boss.get(`${own}/change`)).text).toContain('data.provider = slack, 3');
    expect((await stranger.get(`${own}/change`)).status).toBe(404);

    const events = new URLSearchParams({ name: 'Renamed', url: receiver.url('/second') });
    expect((await stranger.post(`${own}/change`, { ...Object.fromEntries(events), events: 'sync.failed' })).status).toBe(404);
    const changed = await boss.follow(await boss.post(`${own}/change`, { ...Object.fromEntries(events), events: 'sync.completed' }));
    for (const said of ['The destination is changed.', 'Renamed', 'sync.completed']) expect(changed.text).toContain(said);

    expect((await boss.post(`${own}/rotate-secret`)).text).toContain('signs as well for 24 hours');
    const rotated = /whsec_[A-Za-z0-9+/=]+/.exec((await boss.post(`${own}/rotate-secret`, { confirmed: 'yes' })).text)?.[0];
    expect(rotated).toBeDefined();
    expect(rotated).not.toBe(secret);
    expect((await stranger.post(`${own}/remove`, { confirmed: 'yes' })).status).toBe(404);
    expect((await boss.post(`${own}/remove`)).text).toContain('Remove Renamed?');
    expect((await boss.follow(await boss.post(`${own}/remove`, { confirmed: 'yes' }))).text).toContain('The destination is removed.');
    expect((await boss.get(own)).status).toBe(404);
  });

  it('lets an operator alone tell of all organizations', async () => {
    const fields = { name: 'All', url: receiver.url('/all'), events: 'alert.opened', scope: 'all' };
    expect((await boss.get('/admin/destinations/new')).text).not.toContain('all organizations');
    expect((await boss.post('/admin/destinations/new', fields)).status).toBe(403);
    expect((await operator.post('/admin/destinations/new', fields)).text).toContain('whsec_');
    expect(await query(`SELECT scope FROM destinations WHERE name = 'All'`)).toEqual([{ scope: 'all' }]);
  });
});
