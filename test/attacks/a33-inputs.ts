import type { Attack } from './lib/attack';
import { Trials } from './lib/trials';

const assignment: Attack = {
  id: 'A33',
  expected: 'fields that a caller may not set: 400, and named',
  async run(arena) {
    const trials = new Trials();
    const connection = await arena.connect('slack', { tenant: 'assigned' });
    const as = (path: string, body: object, method = 'POST') =>
      arena.service.as({ tenant: 'assigned', role: 'admin' }, path, { method, body });
    const destination = { url: 'https://hooks.example.com/', events: ['connection.connected'] };
    const extras: readonly object[] = [
      { tenant: 'evil' },
      { userId: 'root' },
      { user_id: 'root' },
      { role: 'operator' },
      { id: '00000000-0000-7000-8000-000000000000' },
      { status: 'connected' },
      { createdAt: '2020-01-01T00:00:00Z' },
      { connected: true },
    ];
    for (const extra of extras) {
      const [name] = Object.keys(extra);
      trials.status(`connect session with ${name}`, await as('/v1/connect-sessions', { provider: 'slack', ...extra }), 400);
      trials.status(`connection with ${name}`, await as('/v1/connections', { provider: 'stripe', apiKey: 'rk_test_x', ...extra }), 400);
      trials.status(`sync with ${name}`, await as(`/v1/connections/${connection}/syncs`, { type: 'full', ...extra }), 400);
      trials.status(`destination with ${name}`, await as('/v1/admin/destinations', { ...destination, ...extra }), 400);
      trials.status(
        `message with ${name}`,
        await as(`/v1/connections/${connection}/slack/messages`, { channel: 'C1', text: 'x', ...extra }),
        400,
      );
      trials.status(`${name} in the query`, await arena.service.as({}, `/v1/connections?${name}=evil`), 400);
    }
    for (const extra of [{ secret: 'whsec_mine' }, { failures: 0 }, { pausedReason: null }])
      trials.status('destination, its inside', await as('/v1/admin/destinations', { ...destination, ...extra }), 400);
    trials.status(
      'replay of all tenants',
      await as('/v1/admin/webhook-events/replay', { filter: { status: 'dead', tenant: 'other' } }),
      400,
    );
    trials.status('sync, its trigger', await as(`/v1/connections/${connection}/syncs`, { type: 'full', trigger: 'schedule' }), 400);
    return trials.verdict();
  },
};

const injections: Attack = {
  id: 'A35',
  expected: 'SQL and the like in sort, filter or cursor: 400, or nothing found',
  async run(arena) {
    const trials = new Trials();
    const connection = await arena.connect('slack', { tenant: 'injected' });
    const evil = [
      "' OR 1=1 --",
      "'; DROP TABLE connections; --",
      '1) UNION SELECT * FROM tokens --',
      '${7*7}',
      '{{7*7}}',
      '{"$ne":null}',
      '%00',
      '../../etc/passwd',
      '*',
      '%',
      '_',
      '\\',
      '$1',
      "' || pg_sleep(20) || '",
    ];
    // Nobody may ask so much at once: they are several who try.
    let asked = 0;
    const as = (path: string) => arena.service.as({ tenant: 'injected', role: 'admin', user: `mallory-${Math.floor(asked++ / 50)}` }, path);
    const lists = [
      '/v1/connections',
      `/v1/connections/${connection}/syncs`,
      `/v1/connections/${connection}/records/channels`,
      '/v1/admin/webhook-events',
      '/v1/admin/requests',
      '/v1/admin/alerts',
      '/v1/admin/sync-runs',
      '/v1/admin/destinations',
    ];
    const cursors = [
      ...evil,
      ...evil.map((text) => Buffer.from(JSON.stringify(text)).toString('base64url')),
      ...evil.map((text) => Buffer.from(JSON.stringify({ id: text, at: text, r: text, n: text, c: text })).toString('base64url')),
      'null',
      'W10',
      'e30',
      'x'.repeat(3_000),
    ];
    for (const list of lists) {
      for (const field of ['sort', 'order', 'orderBy', 'where', 'fields', 'select', 'filter[id]', 'q'])
        trials.status(`${list}?${field}`, await as(`${list}?${encodeURIComponent(field)}=${encodeURIComponent(evil[0] ?? '')}`), 400);
      for (const cursor of cursors)
        trials.status(`${list}?cursor=${cursor.slice(0, 20)}`, await as(`${list}?cursor=${encodeURIComponent(cursor)}`), 400);
      for (const limit of ['-1', '0', '1001', '1e3;', 'NaN', '1 OR 1=1', '0x10000', ''])
        trials.status(`${list}?limit=${limit}`, await as(`${list}?limit=${encodeURIComponent(limit)}`), 400);
    }
    for (const [list, field] of [
      ['/v1/connections', 'provider'],
      ['/v1/admin/webhook-events', 'eventId'],
      ['/v1/admin/webhook-events', 'type'],
      ['/v1/admin/webhook-events', 'status'],
      ['/v1/admin/requests', 'outcome'],
      ['/v1/admin/requests', 'connection'],
      ['/v1/admin/alerts', 'state'],
      ['/v1/admin/health/', ''],
    ] as const)
      for (const value of evil) {
        const answer = await as(field ? `${list}?${field}=${encodeURIComponent(value)}` : `${list}${encodeURIComponent(value)}`);
        const found = (answer.json as { data?: unknown[] } | undefined)?.data;
        trials.add(
          `${list} ${field} ${value}`,
          [400, 404].includes(answer.status) || (answer.status === 200 && found?.length === 0),
          answer.status === 200 ? 'nothing found' : answer.status,
        );
        trials.add('at once', answer.durationMs < 15_000);
      }
    for (const value of evil)
      trials.status(`records of ${value}`, await as(`/v1/connections/${connection}/records/${encodeURIComponent(value)}`), 400, 404);
    trials.status('all is still there', await as('/v1/connections'), 200);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [assignment, injections];
