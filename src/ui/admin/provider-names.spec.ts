import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

/** A provider whose key nobody would write. */
const KEY = 'lemon-squeezy';
const NAME = 'Lemon Squeezy';
const ID = '01900000-0000-7000-8000-00000000000';

describe('the administrators’ pages call a provider by its name', () => {
  let pages: PagesFixture;
  let boss: Visitor;

  beforeAll(async () => {
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    for (const sql of [
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       VALUES ('${ID}1', 'acme', 'ada', '${KEY}', 'shop', 'Shop', 'shop', 'api_key', 'connected')`,
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, slot, created_at, started_at, finished_at)
       VALUES ('${ID}2', '${ID}1', 'acme', '${KEY}', 'full', 'manual', 'succeeded', 'one', now(), now(), now())`,
      `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, attempt, duration_ms)
       VALUES ('${ID}3', now(), '${KEY}', 'acme', '${ID}1', 'GET', 'orders', 200, 'ok', 1, 50)`,
      `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version, status, attempts,
         next_attempt_at, received_at, last_error, error_code)
       VALUES ('${ID}4', '${ID}5', '${KEY}', 'evt_1', 'order_created', 'shop', '${ID}1', 'acme', 'o/1', 1, 'dead', 8, now(), now(), 'It broke', 'webhook_handler_failed')`,
      `INSERT INTO webhook_payloads (id, headers, body) VALUES ('${ID}5', '{"content-type":"application/json"}', convert_to('{}', 'utf8'))`,
      `INSERT INTO alerts (id, kind, key, severity, provider, tenant, connection_id, state, title, detail, next_step)
       VALUES ('${ID}6', 'sync_failing', 'a', 'warning', '${KEY}', 'acme', '${ID}1', 'open', 'A', 'B', 'C')`,
      `INSERT INTO webhook_replays (id, actor, tenant, filter, matched, last_id, at)
       VALUES ('${ID}7', 'ann', 'acme', '{"provider":"${KEY}"}', 1, '${ID}4', now())`,
    ])
      await pages.dataSource.query(sql);
  });
  afterAll(() => pages?.close());

  /** What is read, without addresses, titles and values of fields. */
  const read = (html: string) => (/<main[\s\S]*<\/main>/.exec(html)?.[0] ?? '').replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

  it.each([
    '',
    '/alerts',
    `/alerts/${ID}6`,
    '/connections',
    `/connections/${ID}1`,
    '/sync-runs',
    `/sync-runs/${ID}2`,
    '/requests',
    `/requests/${ID}3`,
    '/webhook-events',
    `/webhook-events/${ID}4`,
    '/failed-events',
    '/replays',
    `/replays/${ID}7`,
    `/providers/${KEY}`,
  ])('/admin%s', async (path) => {
    const { status, text } = await boss.get(`/admin${path}`);
    expect(status).toBe(200);
    expect(read(text)).toContain(NAME);
    expect(read(text).replaceAll(`/webhooks/${KEY}`, '')).not.toContain(KEY);
  });

  it('the question before a replay', async () => {
    const { text } = await boss.post('/admin/failed-events/replay', { provider: KEY, type: 'order_created', error: 'It broke' });
    expect(read(text)).toContain(`1 event of ${NAME}, order_created, failed so`);
    expect(read((await boss.post('/admin/failed-events/replay', { provider: KEY })).text)).toContain(`provider ${NAME}`);
  });
});
