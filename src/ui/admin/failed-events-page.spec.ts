import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const PATH = '/admin/failed-events';

interface Group {
  readonly type: string;
  readonly error: string;
  readonly dead: number;
  readonly retrying: number;
  readonly handlers: readonly string[];
}

describe('failed events by kind and error', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let stranger: Visitor;

  beforeAll(async () => {
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'boss', role: 'admin' });
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 5 });
    await pages.eventually('five events', async () => (await events(`status = 'completed' AND type = 'channel_rename'`)).length >= 5);
    const ids = (await events(`type = 'channel_rename' AND tenant = 'acme'`)).map(({ id }) => id);
    for (const [index, id] of ids.slice(0, 5).entries()) {
      const error =
        index < 3 ? `TypeError: customer cus_${index}X of 0198c7e2-6f0b-7d31-abcd-${index}23456789012 is gone` : 'Error: no such table';
      await pages.dataSource.query(
        `UPDATE webhook_events SET status = 'dead', attempts = 8, error_code = 'webhook_handler_failed', last_error = $2 WHERE id = $1`,
        [id, error],
      );
    }
    // the same error in another kind, whose name begins the same
    await pages.dataSource.query(
      `UPDATE webhook_events SET type = 'channel_rename_2' WHERE id = (SELECT id FROM webhook_events WHERE last_error = 'Error: no such table' LIMIT 1)`,
    );
    await pages.dataSource.query(
      `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, attempts, next_attempt_at, received_at, last_error, error_code)
       VALUES (gen_random_uuid(), 'slack', 'later', 'channel_rename', 'acme', 'failed', 2, now() + interval '1 day', now(), 'Error: no such table', 'webhook_handler_failed')`,
    );
  });
  afterAll(() => pages?.close());

  const events = (where: string) =>
    pages.dataSource.query<{ id: string; status: string }[]>(`SELECT id, status FROM webhook_events WHERE ${where}`);
  const groups = async (tenant: string): Promise<Group[]> => {
    const token = await pages.app.tokenFor({ tenant, user: 'boss', role: 'admin' });
    const answer = await fetch(`${pages.url}/v1/admin/webhook-events/failures`, { headers: { authorization: `Bearer ${token}` } });
    return ((await answer.json()) as { data: Group[] }).data;
  };

  it('groups by kind and by the error without its ids, the largest first', async () => {
    expect(await groups('acme')).toMatchObject([
      { type: 'channel_rename', error: 'TypeError: customer # of # is gone', dead: 3, retrying: 0 },
      { type: 'channel_rename', error: 'Error: no such table', dead: 1, retrying: 1 },
      { type: 'channel_rename_2', error: 'Error: no such table', dead: 1, retrying: 0 },
    ]);
    expect((await groups('acme'))[0]?.handlers.length).toBeGreaterThan(0);
    expect(await groups('globex')).toEqual([]);
  });

  it('the page has the figures of the API', async () => {
    const { text } = await boss.get(PATH);
    const rows = text.split('<tr>').slice(2);
    for (const [index, { type, error, dead, retrying, handlers }] of (await groups('acme')).entries()) {
      for (const said of [type, error, ...handlers]) expect(rows[index]).toContain(said);
      expect(rows[index]).toContain(`Given up">${dead}</td>`);
      expect(rows[index]).toContain(`Tried again">${retrying}</td>`);
    }
    expect((await stranger.get(PATH)).text).toContain('No event fails in its handlers.');
    expect((await boss.get('/admin/webhook-events')).text).toContain(`href="${PATH}"`);
    expect((await boss.get('/admin')).text).toContain(`href="${PATH}"`);
  });

  it('replays one group after asking, and no other', async () => {
    const fields = { provider: 'slack', type: 'channel_rename', error: 'TypeError: customer # of # is gone' };
    const question = await boss.post(`${PATH}/replay`, fields);
    expect(question.text).toContain('3 events of Slack, channel_rename, failed so');
    expect((await events(`status = 'dead'`)).length).toBe(5);
    const elsewhere = await stranger.follow(await stranger.post(`${PATH}/replay`, { ...fields, confirmed: 'yes' }));
    expect(elsewhere.text).toContain('No event that could be replayed matches');
    const done = await boss.follow(await boss.post(`${PATH}/replay`, { ...fields, confirmed: 'yes' }));
    expect(done.text).toContain('The events are processed again');
    await pages.eventually('the group is processed', async () => (await events(`last_error LIKE 'TypeError%'`)).length === 0);
    expect((await events(`status = 'dead'`)).length).toBe(2);
  });

  it('the type of a group is meant as it is', async () => {
    const fields = { provider: 'slack', type: 'channel_rename', error: 'Error: no such table' };
    await boss.post(`${PATH}/replay`, { ...fields, confirmed: 'yes' });
    await pages.eventually('processed', async () => (await events(`type = 'channel_rename' AND status = 'dead'`)).length === 0);
    expect((await events(`type = 'channel_rename_2' AND status = 'dead'`)).length).toBe(1);
  });

  it('the API replays by error as well', async () => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    const answer = await fetch(`${pages.url}/v1/admin/webhook-events/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ filter: { error: 'Error: no such table', type: 'channel_rename_2' }, dryRun: true }),
    });
    expect(await answer.json()).toEqual({ matched: 1, replayed: 0, dryRun: true });
  });

  it('the page of an event shows each attempt that failed, as the API gives it', async () => {
    const [event] = await pages.dataSource
      .query<{ id: string }[]>(
        `UPDATE webhook_events SET status = 'dead', attempts = 2, failures = '[
        {"at": "2026-03-01T10:00:00Z", "attempt": 1, "durationMs": 1234, "worker": "host-a/12", "code": "webhook_handler_failed", "error": "Error: first"},
        {"at": "2026-03-01T10:05:00Z", "attempt": 2, "durationMs": null, "worker": null, "code": "webhook_handler_failed", "error": "Error: second"}]'
       WHERE id = (SELECT id FROM webhook_events WHERE tenant = 'acme' LIMIT 1) RETURNING id`,
      )
      .then((answer) => answer.flat() as { id: string }[]);
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
    const answer = await fetch(`${pages.url}/v1/admin/webhook-events/${event?.id}`, { headers: { authorization: `Bearer ${token}` } });
    const { failures } = (await answer.json()) as { failures: { at: string; attempt: number; error: string }[] };
    expect(failures.map(({ error }) => error)).toEqual(['Error: first', 'Error: second']);
    const { text } = await boss.get(`/admin/webhook-events/${event?.id}`);
    const [rows = ''] = /aria-label="Attempts"[^]*?<\/table>/.exec(text) ?? [];
    expect(rows.indexOf('Error: second')).toBeLessThan(rows.indexOf('Error: first'));
    for (const { at, error } of failures) for (const said of [at, error]) expect(rows).toContain(said);
    for (const said of ['host-a/12', '1.2']) expect(rows).toContain(said);
    expect((await stranger.get(`/admin/webhook-events/${event?.id}`)).status).toBe(404);
  });
});
