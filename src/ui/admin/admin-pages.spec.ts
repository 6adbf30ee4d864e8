import { v7 as uuidv7 } from 'uuid';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>`;
const PAGES = [
  '/admin',
  '/admin/alerts',
  '/admin/connections',
  '/admin/deliveries',
  '/admin/destinations',
  '/admin/webhook-events',
  '/admin/failed-events',
  '/admin/sync-runs',
  '/admin/requests',
  '/admin/providers/slack',
];

describe('the pages of administrators', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let stranger: Visitor;
  let connectionId: string;

  beforeAll(async () => {
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    const [row] = await query<{ id: string }>(`UPDATE connections SET account_name = $1 RETURNING id`, [HOSTILE]);
    connectionId = row?.id ?? '';
    await pages.eventually('the first sync', async () => (await query(`SELECT 1 FROM sync_runs WHERE status = 'succeeded'`)).length > 0);
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 3 });
    await pages.eventually(
      'three events',
      async () => (await query(`SELECT 1 FROM webhook_events WHERE status = 'completed'`)).length >= 3,
    );
    // written beside the calls, a moment later
    await pages.eventually('the request log', async () => (await query('SELECT 1 FROM request_log')).length > 0);
  });
  afterAll(() => pages.close());

  /** UPDATE gives rows and their number, SELECT rows. */
  async function query<T>(sql: string, params: unknown[] = []): Promise<T[]> {
    const answer: unknown[] = await pages.dataSource.query(sql, params);
    return (Array.isArray(answer[0]) ? answer[0] : answer) as T[];
  }
  const openAlert = async (tenant: string | null) => {
    const id = uuidv7();
    await query(
      `INSERT INTO alerts (id, kind, key, severity, provider, tenant, state, title, detail, next_step) VALUES ($1::uuid, 'test', gen_random_uuid()::text, 'critical', 'slack', $2, 'open', $3, $3, 'Look.')`,
      [id, tenant, HOSTILE],
    );
    return id;
  };
  const markDead = (count: number) =>
    query<{ id: string }>(
      `UPDATE webhook_events SET status = 'dead', attempts = 8, last_error = $1 WHERE id IN (SELECT id FROM webhook_events WHERE tenant = 'acme' ORDER BY id LIMIT $2) RETURNING id`,
      [HOSTILE, count],
    );

  it.each(PAGES)('%s lets administrators in and nobody else', async (path) => {
    const user = await pages.signIn({ tenant: 'acme', user: 'ada' });
    const refused = await user.get(path);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8']);
    expect(refused.text).toContain('Your role does not allow this.');
    const anonymous = await fetch(pages.url + path, { headers: { accept: 'text/html' } });
    expect([anonymous.status, anonymous.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    const page = await boss.get(path);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  it.each(['/admin/', '//admin', '/%61dmin', '/ADMIN', '/admin/.', '/admin;x'])('%s is no way round the door', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST'] as const) {
      const { status } = await fetch(pages.url + path, {
        method,
        headers: { accept: 'text/html', 'x-http-method-override': 'GET' },
        redirect: 'manual',
      });
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  it('shows the health of the providers and the queue', async () => {
    const { text } = await boss.get('/admin');
    expect(text).toMatch(/href="\/admin\/providers\/slack">Slack<\/a>/);
    expect(text).toContain('Queue of webhook events');
    expect((await boss.get('/admin/providers/slack')).text).toContain(connectionId);
    expect((await stranger.get('/admin/providers/slack')).text).not.toContain(connectionId);
    expect((await boss.get('/admin/providers/nothing')).status).toBe(404);
  });

  it('says on the page of a provider what is to be registered there', async () => {
    const { text } = await boss.get('/admin/providers/slack');
    expect(text).toContain('/auth/slack/callback</code>');
    expect(text).toContain('/webhooks/slack</code>');
  });

  it('shows hostile names, errors and payloads as text', async () => {
    await openAlert('acme');
    await markDead(1);
    const [event] = await query<{ id: string }>(
      `WITH changed AS (UPDATE webhook_events SET type = $2 WHERE status = 'dead' RETURNING id, payload_id),
         spoiled AS (UPDATE webhook_payloads SET body = $1 WHERE id IN (SELECT payload_id FROM changed))
       SELECT id FROM changed`,
      [Buffer.from(JSON.stringify({ text: HOSTILE, [HOSTILE]: 1 })), HOSTILE],
    );
    await query(`UPDATE request_log SET endpoint = $1, operation = $1`, [HOSTILE]);
    await query(`UPDATE sync_runs SET status = 'failed', error_code = 'provider_rejected', error_message = $1`, [HOSTILE]);
    const [destination] = await query<{ id: string }>(
      `INSERT INTO destinations (id, tenant, name, url, events, created_at, updated_at) VALUES (gen_random_uuid(), 'acme', $1, $1, '{}', now(), now()) RETURNING id`,
      [HOSTILE],
    );
    const [delivery] = await query<{ id: string }>(
      `WITH message AS (INSERT INTO outbox (id, tenant, type, body, created_at) VALUES (gen_random_uuid(), 'acme', $2, '{}', now()) RETURNING id)
       INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, error_code, give_up_at, created_at)
       SELECT gen_random_uuid(), id, $1, 'acme', $2, 'dead', $2, now(), now() FROM message RETURNING id`,
      [destination?.id, HOSTILE],
    );
    const ones = [`connections/${connectionId}`, `destinations/${destination?.id}`, `deliveries/${delivery?.id}`].map(
      (one) => `/admin/${one}`,
    );
    for (const path of [...PAGES, ...ones, `/admin/webhook-events/${event?.id}`]) {
      const { text } = await boss.get(path);
      expect(text).not.toMatch(/<script>|<img/);
      expect([path, text.includes('&#60;script&#62;') || text.includes('&#60;img')]).toEqual([path, true]);
    }
  });

  it('acknowledges an alert of its own tenant only', async () => {
    const [own, foreign] = [await openAlert('acme'), await openAlert('globex')];
    const page = await boss.follow(await boss.post(`/admin/alerts/${own}/acknowledge`));
    expect(page.text).toContain('The alert is acknowledged.');
    expect((await boss.get('/admin/alerts?state=open')).text).not.toContain(own);
    expect((await boss.get('/admin/alerts')).text).not.toContain(foreign);
    expect((await boss.post(`/admin/alerts/${foreign}/acknowledge`)).status).toBe(404);
    expect((await boss.post(`/admin/alerts/${own}/acknowledge`, { back: 'https://evil.test' })).status).toBe(400);
    expect((await boss.post(`/admin/alerts/${own}/acknowledge`, {}, 'wrong')).status).toBe(403);
  });

  it('replays one dead event, which is then processed', async () => {
    await query(`UPDATE webhook_events SET status = 'completed'`);
    await query(`DELETE FROM webhook_events WHERE type = $1`, [HOSTILE]);
    const [event] = await markDead(1);
    expect((await stranger.post(`/admin/webhook-events/${event?.id}/replay`)).status).toBe(404);
    expect((await boss.get('/admin/webhook-events?status=dead')).text).toContain(`/admin/webhook-events/${event?.id}/replay`);
    const page = await boss.follow(await boss.post(`/admin/webhook-events/${event?.id}/replay`));
    expect(page.text).toContain('The event is processed again');
    await pages.eventually(
      'completed again',
      async () =>
        (await query(`SELECT 1 FROM webhook_events WHERE id = $1 AND status = 'completed' AND attempts = 1`, [event?.id])).length > 0,
    );
  });

  it('counts first, then replays all that match', async () => {
    await markDead(2);
    const question = await boss.post('/admin/webhook-events/replay', { status: 'dead', provider: '' });
    expect(question.text).toContain('2 events match. Process them again?');
    expect((await query(`SELECT 1 FROM webhook_events WHERE status = 'dead'`)).length).toBe(2);
    const elsewhere = await stranger.follow(await stranger.post('/admin/webhook-events/replay', { status: 'dead', confirmed: 'yes' }));
    expect(elsewhere.text).toContain('No event that could be replayed matches');
    const page = await boss.follow(await boss.post('/admin/webhook-events/replay', { status: 'dead', confirmed: 'yes' }));
    expect(page.text).toContain('The events are processed again');
    await pages.eventually('none dead', async () => (await query(`SELECT 1 FROM webhook_events WHERE status <> 'completed'`)).length === 0);
  });

  it('goes on to older events', async () => {
    await query(
      `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status)
       SELECT ('01000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'slack', 'older-' || n, 'older', 'acme', 'completed' FROM generate_series(1, 60) n`,
    );
    const shown = async (path: string) => {
      const { status, text } = await boss.get(path);
      const next = /href="([^"]*cursor=[^"]*)">Older entries/.exec(text)?.[1]?.replaceAll('&#38;', '&').replaceAll('&amp;', '&');
      return { status, ids: [...text.matchAll(/01000000-0000-7000-8000-\d{12}(?=")/g)].map(([id]) => id), next };
    };
    const ids = new Set<string>();
    let pageCount = 0;
    for (let path: string | undefined = '/admin/webhook-events?type=older'; path !== undefined && pageCount < 10; pageCount++) {
      const { status, ids: fresh, next } = await shown(path);
      expect(status).toBe(200);
      for (const id of fresh) ids.add(id);
      path = next;
    }
    expect([ids.size, pageCount]).toEqual([60, 3]);
    await query(`DELETE FROM webhook_events WHERE type = 'older'`);
  });

  it('confirms a paused run after asking', async () => {
    const [run] = await query<{ id: string }>(`UPDATE sync_runs SET status = 'paused', error_code = 'confirmation_required' RETURNING id`);
    expect((await boss.get('/admin/sync-runs?status=paused')).text).toContain('Waits for you');
    expect((await stranger.get('/admin/sync-runs')).text).not.toContain(connectionId);
    expect((await boss.post(`/admin/sync-runs/${run?.id}/confirm`)).text).toContain('Many of the records are missing');
    expect((await stranger.post(`/admin/sync-runs/${run?.id}/confirm`, { confirmed: 'yes' })).status).toBe(404);
    const page = await boss.follow(await boss.post(`/admin/sync-runs/${run?.id}/confirm`, { confirmed: 'yes' }));
    expect(page.text).toContain('The run goes on');
    await pages.eventually(
      'the run succeeded',
      async () => (await query(`SELECT 1 FROM sync_runs WHERE id = $1 AND status = 'succeeded'`, [run?.id])).length > 0,
    );
  });

  it('pages through a long list, and refuses filters and cursors that it does not know', async () => {
    await query(
      `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, attempt, duration_ms)
       SELECT gen_random_uuid(), now() - n * interval '1 second', 'slack', 'acme', $1, 'GET', '/paged/' || n, 200, 'ok', 1, 5 FROM generate_series(1, 120) AS n`,
      [connectionId],
    );
    const seen = new Set<string>();
    let path: string | undefined = `/admin/requests?connection=${connectionId}&outcome=ok`;
    for (let reads = 0; path !== undefined && reads < 10; reads++) {
      const { text } = await boss.get(path);
      for (const [, name] of text.matchAll(/GET (\/paged\/\d+)/g)) seen.add(name ?? '');
      path = /href="([^"]+cursor=[^"]+)">Older/.exec(text)?.[1]?.replaceAll('&#38;', '&');
    }
    expect(seen.size).toBe(120);
    expect((await stranger.get('/admin/requests')).text).not.toContain('/paged/');
    for (const bad of ['status=nonsense', 'unknown=1', 'cursor=e30', `connectionId=x`])
      expect((await boss.get(`/admin/webhook-events?${bad}`)).status).toBe(400);
  });
});
