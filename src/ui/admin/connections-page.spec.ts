import { ConnectionSeals } from '../../integrations/connections/seals/connection-seals';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const PATH = '/admin/connections';

describe('connections, for administrators', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let stranger: Visitor;
  let operator: Visitor;
  let id: string;

  beforeAll(async () => {
    pages = await startPages();
    pages.sandbox.control.setAutoConsent('allow');
    for (const [tenant, user] of [
      ['acme', 'ada'],
      ['globex', 'gus'],
    ] as const) {
      const visitor = await pages.signIn({ tenant, user });
      await visitor.follow(await visitor.post('/settings/integrations/slack/connect'));
    }
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    id = await idOf('ada');
    await query(`UPDATE connections SET account_name = 'Acme Mail', account_id = 'T-ada', seal = NULL WHERE user_id = 'ada'`);
    await query(`UPDATE connections SET account_name = 'Globex Mail', account_id = 'T-gus', seal = NULL WHERE user_id = 'gus'`);
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    await pages.eventually(
      'both first syncs',
      async () => (await query(`SELECT 1 FROM sync_runs WHERE status = 'succeeded'`)).length === 2,
    );
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 1 });
    await pages.eventually('events', async () => (await query(`SELECT 1 FROM webhook_events WHERE connection_id = $1`, [id])).length > 0);
    await pages.eventually('calls', async () => (await query(`SELECT 1 FROM request_log WHERE connection_id = $1`, [id])).length > 0);
  });
  afterAll(() => pages.close());

  const query = <T>(sql: string, params: unknown[] = []): Promise<T[]> => pages.dataSource.query<T[]>(sql, params);
  const idOf = async (user: string) => (await query<{ id: string }>(`SELECT id FROM connections WHERE user_id = $1`, [user]))[0]?.id ?? '';
  const shown = async (visitor: Visitor, search: string) => {
    const { status, text } = await visitor.get(`${PATH}?${search}`);
    expect(status).toBe(200);
    return ['Acme Mail', 'Globex Mail'].filter((name) => text.includes(name));
  };

  it.each([
    ['', ['Acme Mail', 'Globex Mail']],
    ['tenant=acme', ['Acme Mail']],
    ['userId=gus', ['Globex Mail']],
    ['userId=gu', []],
    ['account=GLO', ['Globex Mail']],
    ['account=T-ada', ['Acme Mail']],
    ['account=lobex', []],
    ['account=%25', []],
    ['provider=slack&status=connected', ['Acme Mail', 'Globex Mail']],
    ['provider=stripe', []],
    ['status=needs_reauth', []],
  ])('an operator searches all organizations: %s', async (search, found) => {
    expect(await shown(operator, search)).toEqual(found);
  });

  it('an administrator sees those of the own organization, whatever is asked', async () => {
    expect(await shown(boss, '')).toEqual(['Acme Mail']);
    expect(await shown(boss, 'tenant=globex')).toEqual([]);
    expect(await shown(boss, 'userId=gus')).toEqual([]);
    for (const wrong of ['status=fine', 'unknown=1', 'cursor=e30']) expect((await boss.get(`${PATH}?${wrong}`)).status).toBe(400);
  });

  it('the search takes indexes', async () => {
    const plan = async (where: string) => {
      const rows = await pages.dataSource.transaction(async (manager) => {
        await manager.query('SET LOCAL enable_seqscan = off');
        return manager.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN SELECT * FROM connections c WHERE ${where}`);
      });
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    expect(
      await plan(
        `(c.account_id = 'x' OR (lower(c.account_name) COLLATE "C" >= lower('X') AND lower(c.account_name) COLLATE "C" < lower('X') || chr(1114111)))`,
      ),
    ).toMatch(/BitmapOr[^]*connections_by_account[^]*connections_by_account_name|BitmapOr[^]*connections_by_account_name/);
    expect(await plan(`c.user_id = 'x' ORDER BY c.id DESC LIMIT 50`)).toContain('connections_by_user');
  });

  it('the page of one says whose it is, what it may, and what happened', async () => {
    // first what is there: a run in the background may add to it
    const [run] = await query<{ id: string }>(`SELECT id FROM sync_runs WHERE connection_id = $1`, [id]);
    const [event] = await query<{ id: string }>(`SELECT id FROM webhook_events WHERE connection_id = $1`, [id]);
    const [request] = await query<{ id: string }>(`SELECT id FROM request_log WHERE connection_id = $1 ORDER BY at DESC`, [id]);
    const { status, text } = await boss.get(`${PATH}/${id}`);
    expect(status).toBe(200);
    for (const said of [id, 'Acme Mail', 'T-ada', 'acme', 'ada', 'channels:read', 'Missing permissions']) expect(text).toContain(said);
    expect(text).toContain(`/admin/sync-runs/${run?.id}`);
    expect(text).toContain(`/admin/webhook-events/${event?.id}`);
    expect(text).toContain(`/admin/requests/${request?.id}`);
    expect(text).toContain('connection.connect');
    for (const back of [`/admin/sync-runs/${run?.id}`, `/admin/webhook-events/${event?.id}`, `/admin/requests/${request?.id}`]) {
      const other = await boss.get(back);
      expect([back, other.status, other.text.includes(`${PATH}/${id}`)]).toEqual([back, 200, true]);
      expect([back, (await stranger.get(back)).status]).toEqual([back, 404]);
    }
    for (const list of ['/admin/sync-runs', '/admin/webhook-events', '/admin/requests'])
      expect([list, (await boss.get(list)).text.includes(`${PATH}/${id}`)]).toEqual([list, true]);
  });

  it('the audit of what was done with it is on its page', async () => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'ada' });
    const answer = await fetch(`${pages.url}/v1/connections/${id}/slack/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'C0NOTTHERE', text: 'Hello' }),
    });
    expect(answer.status).toBeGreaterThanOrEqual(200);
    const { text } = await boss.get(`${PATH}/${id}`);
    expect(text).toContain('slack.messages.send');
  });

  it('nobody else opens it or changes it', async () => {
    expect((await stranger.get(`${PATH}/${id}`)).status).toBe(404);
    expect((await stranger.post(`${PATH}/${id}/sync`)).status).toBe(404);
    expect((await stranger.post(`${PATH}/${id}/disconnect`, { confirmed: 'yes' })).status).toBe(404);
    const user = await pages.signIn({ tenant: 'acme', user: 'ada' });
    expect((await user.get(`${PATH}/${id}`)).status).toBe(403);
    expect((await boss.post(`${PATH}/${id}/sync`, {}, 'wrong')).status).toBe(403);
    expect((await boss.get(`${PATH}/x`)).status).toBe(404);
    const [row] = await query<{ status: string }>(`SELECT status FROM connections WHERE id = $1`, [id]);
    expect(row?.status).toBe('connected');
  });

  it('syncs, and disconnects after asking', async () => {
    const synced = await boss.follow(await boss.post(`${PATH}/${id}/sync`));
    expect(synced.text).toMatch(/A sync has been asked for\.|A sync was under way already\./);
    expect((await query(`SELECT 1 FROM sync_runs WHERE connection_id = $1 AND trigger = 'manual'`, [id])).length).toBe(1);
    expect((await boss.post(`${PATH}/${id}/disconnect`)).text).toContain('Disconnect Acme Mail from Slack?');
    const ended = await boss.follow(await boss.post(`${PATH}/${id}/disconnect`, { confirmed: 'yes' }));
    expect(ended.text).toContain('Disconnected, and what was held is deleted. At the provider');
    expect(ended.text).toContain('connection.disconnect');
    expect(ended.text).not.toContain('Sync now');
    expect((await boss.post(`${PATH}/${id}/sync`)).status).toBeGreaterThanOrEqual(400);
  });

  it('follows one connection over the stream, its own administrators alone', async () => {
    const other = await idOf('gus');
    const link = await pages.signInLink({ tenant: 'globex', user: 'boss', role: 'admin' });
    const signedIn = await fetch(link, { redirect: 'manual' });
    const cookie = signedIn.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const closing = new AbortController();
    const stream = await fetch(`${pages.url}/live/connection/${other}`, { headers: { cookie }, signal: closing.signal });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let told = '';
    const changes = (async () => {
      while (!told.includes('event: changed')) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) break;
        told += value;
      }
    })();
    await pages.eventually('the beginning', () => Promise.resolve(told.includes('retry')));
    for (let tries = 0; tries < 50 && !told.includes('event: changed'); tries++) {
      await query(`UPDATE connections SET account_name = $2 WHERE id = $1`, [other, `Globex Mail ${tries}`]);
      await Promise.race([changes, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    expect(told).toContain('event: changed');
    closing.abort();
    await changes.catch(() => undefined);
    for (const [path, status] of [
      ['/live/connection', 404],
      ['/live/connection/x', 404],
      [`/live/connection/${id}`, 404],
      [`/live/alerts/${other}`, 404],
    ] as const)
      expect([path, (await fetch(`${pages.url}${path}`, { headers: { cookie } })).status]).toEqual([path, status]);
  });
});
