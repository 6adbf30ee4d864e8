import { HttpReceiver } from '../src/integrations/notifications/testing/http-receiver';
import { duration } from '../src/ui/time-tag';
import { startPages, type PagesFixture, type Visitor } from './support/pages-fixture';

type Row = Readonly<Record<string, unknown>>;

/** The cells of a table by the name of their column, as a person reads them. */
function tableOf(page: string, name: string): Record<string, string>[] {
  const [, body = ''] = new RegExp(`aria-label="${name}"[^]*?<tbody>([^]*?)</tbody>`).exec(page) ?? [];
  return body
    .split('<tr>')
    .slice(1)
    .map((row) =>
      Object.fromEntries(
        [...row.matchAll(/<td data-label="([^"]*)">([^]*?)<\/td>/g)].map(([, label = '', cell = '']) => [
          label,
          cell
            .replace(/<[^>]+>/g, ' ')
            .replace(/\s+/g, ' ')
            .trim(),
        ]),
      ),
    );
}

const count = (value: unknown) => Number(value).toLocaleString('en');

describe('each figure of the administrators’ pages is the API’s', () => {
  let pages: PagesFixture;
  let receiver: HttpReceiver;
  let operator: Visitor;

  beforeAll(async () => {
    receiver = await HttpReceiver.start();
    pages = await startPages();
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    const boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    const made = await boss.post('/admin/destinations/new', { name: 'P', url: receiver.url('/told'), events: 'sync.completed' });
    expect(made.status).toBe(200);
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    await pages.eventually(
      'a run',
      async () => (await pages.dataSource.query<unknown[]>(`SELECT 1 FROM sync_runs WHERE status = 'succeeded'`)).length > 0,
    );
    await pages.eventually(
      'a delivery',
      async () => (await pages.dataSource.query<unknown[]>(`SELECT 1 FROM deliveries WHERE status = 'delivered'`)).length > 0,
    );
    await pages.sandbox.control.deliver({ provider: 'slack', type: 'channel_rename', count: 3 });
    await pages.eventually(
      'three events',
      async () => (await pages.dataSource.query<unknown[]>(`SELECT 1 FROM webhook_events WHERE status = 'completed'`)).length >= 3,
    );
    await pages.dataSource.query(
      `UPDATE webhook_events SET status = 'dead', attempts = 8, error_code = 'webhook_handler_failed', last_error = 'Error: gone' WHERE id = (SELECT max(id::text)::uuid FROM webhook_events)`,
    );
    // the figures are written beside what happens
    await pages.eventually(
      'the figures are written',
      async () =>
        (
          await pages.dataSource.query<unknown[]>(
            `SELECT 1 FROM figures WHERE tenant = '' GROUP BY tenant HAVING sum(events) >= 3 AND sum(delivered) >= 1 AND sum(ok) > 0`,
          )
        ).length > 0,
    );
    // and so is the request log
    await pages.eventually(
      'the calls are logged',
      async () => (await pages.dataSource.query<unknown[]>('SELECT 1 FROM request_buckets')).length > 0,
    );
  });
  afterAll(async () => {
    await pages?.close();
    await receiver?.close();
  });

  const api = async (path: string): Promise<Row> => {
    const token = await pages.app.tokenFor({ tenant: 'ops', user: 'op', role: 'operator' });
    const answer = await fetch(`${pages.url}/v1/admin/${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect([path, answer.status]).toEqual([path, 200]);
    return (await answer.json()) as Row;
  };
  const list = async (path: string) => (await api(path))['data'] as Row[];

  it('the overview: health and the queue', async () => {
    const { text } = await operator.get('/admin');
    const health = (await list('health')).find(({ provider }) => provider === 'slack') as Row & { connections: Row };
    const row = tableOf(text, 'Health of the providers').find((each) => each['Provider']?.startsWith('Slack'));
    expect(row).toMatchObject({
      Connected: count(health.connections['connected']),
      'Reconnect needed': count(health.connections['needsReauth']),
    });
    expect(row?.['Requests']).toBe(count(health['requests24h']));
    expect(Number(health['requests24h'])).toBeGreaterThan(0);
    const read = async () => (await api('figures')) as { total: Row; hourly: Record<string, (number | null)[]>; providers: Row[] };
    let figures = await read();
    let shown = text;
    await pages.eventually('nothing was counted while both were read', async () => {
      figures = await read();
      shown = (await operator.get('/admin')).text;
      return JSON.stringify(figures) === JSON.stringify(await read());
    });
    const lines = tableOf(shown, 'The last 24 hours');
    const line = (what: string) => lines.find((each) => each['What'] === what);
    for (const [what, figure] of [
      ['Requests', 'requests'],
      ['Failed requests', 'failed'],
      ['Held back by limits (429)', 'rateLimited'],
      ['Webhook events in effect', 'events'],
      ['Failed in handlers', 'eventsFailed'],
      ['Deliveries taken', 'delivered'],
    ] as const) {
      expect([what, line(what)?.['In 24 hours']]).toEqual([what, count(figures.total[figure])]);
      expect([what, line(what)?.['In this hour']]).toEqual([what, count(figures.hourly[figure]?.at(-1))]);
    }
    for (const [what, figure] of [
      ['95 of 100 calls within', 'latencyP95Ms'],
      ['95 of 100 events in effect within', 'lagP95Ms'],
      ['95 of 100 deliveries taken within', 'deliveryLagP95Ms'],
    ] as const)
      expect([what, line(what)?.['In 24 hours']]).toEqual([what, duration(Number(figures.total[figure])).replace(/\s+/g, ' ')]);
    expect(figures.total).toMatchObject({ events: 3, delivered: 1 });
    expect(Number(figures.total['requests'])).toBeGreaterThanOrEqual(Number(health['requests24h']));
    expect(shown).toContain(`aria-label="Webhook events in effect by the hour: 3 in 24 hours`);
    const queue = await api('queue');
    expect(tableOf(text, 'Queue of webhook events')).toEqual([
      expect.objectContaining({
        Waiting: count(queue['depth']),
        'In flight': count(queue['inFlight']),
        'To be retried': count(queue['retrying']),
        Dead: count(queue['dead']),
      }),
    ]);
    expect(queue['dead']).toBe(1);
  });

  it.each<[page: string, table: string, path: string, column: string, figure: (row: Row) => string]>([
    ['/admin/webhook-events', 'Webhook events', 'webhook-events', 'Attempts', (row) => String(row['attempts'])],
    ['/admin/sync-runs', 'Sync runs', 'sync-runs', 'Fetched', (row) => count((row['counts'] as Row)['fetched'])],
    ['/admin/requests', 'Requests to the providers', 'requests', 'Status', (row) => String(row['status'])],
    ['/admin/requests', 'Requests to the providers', 'requests', 'Try', (row) => String(row['attempt'])],
    ['/admin/deliveries', 'Deliveries', 'deliveries', 'Tries', (row) => String(row['attempts'])],
    ['/admin/destinations', 'Destinations', 'destinations', 'Waiting', (row) => count(row['waiting'])],
    ['/admin/connections', 'Connections', 'connections', 'Organization', () => 'acme'],
    ['/admin/audit', 'Audit', 'audit', 'Did', (row) => String(row['action'])],
    ['/admin/failed-events', 'Failed events', 'webhook-events/failures', 'Given up', (row) => count(row['dead'])],
    ['/admin/failed-events', 'Failed events', 'webhook-events/failures', 'Tried again', (row) => count(row['retrying'])],
    [
      '/admin/keys',
      'Encryption keys',
      'keys',
      'Rows that need it',
      (row) => count(Object.values(row['rows'] as Record<string, number>).reduce((a, b) => a + b, 0)),
    ],
  ])('%s: %s, column %#', async (page, table, path, column, figure) => {
    const shown = tableOf((await operator.get(page)).text, table);
    const given = await list(path === 'keys' || path.endsWith('failures') ? path : `${path}?limit=25`);
    expect(given.length).toBeGreaterThan(0);
    expect(shown.map((row) => row[column])).toEqual(given.map(figure));
  });

  it('a provider: health of its connections', async () => {
    const shown = tableOf((await operator.get('/admin/providers/slack')).text, 'Connections');
    const given = await list('health/slack/connections');
    expect(shown.map((row) => [row['Account'], row['Requests']])).toEqual(
      given.map((row) => [row['accountName'], count(row['requests24h'])]),
    );
  });
});
