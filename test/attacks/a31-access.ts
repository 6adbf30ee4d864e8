import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { connect } from 'node:net';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { ask, isProblem, type Answer, type Ask } from './lib/request';
import { Trials } from './lib/trials';

/** Refused tokens are bounded by address; each attack comes from an address of this machine's own where there are several. */
function stranger(arena: Arena, host: number): (path: string, request?: Ask) => Promise<Answer> {
  const from = process.platform === 'linux' ? `127.0.0.${host}` : undefined;
  return (path, request = {}) => ask(arena.service.url, path, { ...request, ...(from && { from }) });
}

const ADMIN_PATHS = [
  '/v1/admin/health',
  '/v1/admin/webhook-events',
  '/v1/admin/requests',
  '/v1/admin/alerts',
  '/v1/admin/sync-runs',
  '/v1/admin/queue',
  '/v1/admin/destinations',
  '/admin',
  '/admin/alerts',
  '/admin/webhook-events',
  '/admin/requests',
  '/admin/sync-runs',
  '/metrics',
];

const admin: Attack = {
  id: 'A31',
  expected: 'administration without a token or with one in the address: 401; a user’s: 403; guessing: 429',
  async run(arena) {
    const trials = new Trials();
    const anybody = stranger(arena, 61);
    const token = await arena.service.token({ role: 'operator', user: 'olga' });
    for (const path of ADMIN_PATHS) {
      trials.status(`${path} without`, await anybody(path), 401);
      trials.status(`${path} in the address`, await anybody(`${path}?token=${token}&access_token=${token}`), 401, 400);
      if (path.startsWith('/v1/') || path === '/metrics') trials.status(`${path} as a user`, await arena.service.as({}, path), 403);
    }
    for (const headers of [
      { authorization: token },
      { authorization: `Basic ${token}` },
      { authorization: `Bearer  ` },
      { cookie: `token=${token}; trestle_session=${token}` },
      { 'x-api-key': token },
      { 'x-access-token': token },
    ])
      trials.status(`as ${Object.keys(headers)[0]}`, await stranger(arena, 62)('/v1/admin/queue', { headers }), 401);
    if (process.platform !== 'linux') {
      trials.note('guessing: not tried, it needs a second loopback address');
      return trials.verdict();
    }
    const guesser = stranger(arena, 63);
    const guesses: Answer[] = [];
    for (let i = 0; i < 160; i++)
      guesses.push(await guesser('/v1/admin/queue', { headers: { authorization: `Bearer a.b.${i}`, 'x-forwarded-for': `10.0.0.${i}` } }));
    const slowed = guesses.filter(({ status }) => status === 429);
    trials.add(
      'guessing is slowed',
      slowed.length > 0 && guesses.every(({ status }) => status === 401 || status === 429),
      `${guesses.length - slowed.length} x 401, then ${slowed.length} x 429`,
    );
    trials.add(
      'with Retry-After',
      slowed.every(({ headers }) => Number(headers['retry-after']) >= 1),
    );
    trials.status(
      'who shares the address is let in',
      await guesser('/v1/admin/queue', { headers: { authorization: `Bearer ${token}` } }),
      200,
    );
    return trials.verdict();
  },
};

const spellings: Attack = {
  id: 'A32',
  expected: 'every spelling and method of a guarded address: never 2xx without signing in',
  async run(arena) {
    const trials = new Trials();
    const paths = ['/admin', '/v1/admin/queue', '/metrics', '/settings/integrations'].flatMap((path) => {
      const name = path.slice(1);
      const letter = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
      return [
        `${path}/`,
        `/${path}`,
        `//${path}`,
        `/${letter}`,
        `/%2e/${name}`,
        `/./${name}`,
        `/x/../${name}`,
        `/x/%2e%2e/${name}`,
        `/health/live/../../${name}`,
        `/ui/..%2f${name}`,
        `${path};x=1`,
        `${path}%20`,
        `${path}%00`,
        `${path}%2f`,
        `${path}.json`,
        `${path}?`,
        `${path}#`,
        `${path}%23`,
        `${path}..;/`,
        path.toUpperCase(),
        `/${name[0]?.toUpperCase()}${name.slice(1)}`,
        `\\${name}`,
        `/%5c${name}`,
        `/%252e/${name}`,
        `/%c0%af${name}`,
      ];
    });
    let from = 70;
    for (const path of paths) {
      const answer = await stranger(arena, from + (paths.indexOf(path) % 4))(path);
      trials.add(path, answer.status >= 300 && !/pending|depth|trestle_process/.test(answer.text), answer.status);
    }
    from = 80;
    for (const path of ['/admin', '/v1/admin/queue', '/v1/connections', '/metrics'])
      for (const method of ['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'POST', 'TRACE', 'PROPFIND', 'SEARCH'])
        trials.add(`${method} ${path}`, (await stranger(arena, from + 1)(path, { method })).status >= 300, 'refused');
    const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];
    for (const header of overrides)
      trials.add(
        `${header} on /health/live`,
        (await stranger(arena, from + 2)('/v1/admin/queue', { headers: { [header]: 'OPTIONS' } })).status === 401,
        'refused',
      );
    for (const header of ['x-original-url', 'x-rewrite-url', 'x-forwarded-path', 'x-forwarded-uri']) {
      const answer = await stranger(arena, from + 3)('/health/live', { headers: { [header]: '/v1/admin/queue' } });
      trials.add(header, answer.text === '{"status":"ok"}', 'without effect');
    }
    for (const header of ['x-forwarded-user', 'x-remote-user', 'x-user', 'x-tenant', 'x-role'])
      trials.status(header, await stranger(arena, from + 4)('/v1/admin/queue', { headers: { [header]: 'operator' } }), 401);
    return trials.verdict();
  },
};

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

const tokens: Attack = {
  id: 'A34',
  expected: 'a token without a tenant, or forged: 401',
  async run(arena) {
    const trials = new Trials();
    const secret = Buffer.from(arena.service.cluster.jwtSecret);
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    const good = { sub: 'u1', tenant: 'acme', exp };
    const sign = (claims: object, header: object = {}, key: Uint8Array = secret) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
    const { privateKey } = await generateKeyPair('RS256');
    const whole = await sign(good);
    const [head = '', claims = '', signature = ''] = whole.split('.');
    const operator = Buffer.from(JSON.stringify({ ...good, role: 'operator' })).toString('base64url');
    const forged: Readonly<Record<string, string>> = {
      'without a tenant': await sign({ sub: 'u1', exp }),
      'an empty tenant': await sign({ ...good, tenant: '' }),
      'a tenant that is a list': await sign({ ...good, tenant: ['acme'] }),
      'a tenant that is an object': await sign({ ...good, tenant: { toString: 'acme' } }),
      'a tenant that is a number': await sign({ ...good, tenant: 1 }),
      'a tenant with a line break': await sign({ ...good, tenant: 'a\ncme' }),
      'a tenant with a zero byte': await sign({ ...good, tenant: 'acme\0' }),
      'a very long tenant': await sign({ ...good, tenant: 'a'.repeat(300) }),
      'no user': await sign({ tenant: 'acme', exp }),
      'an unknown role': await sign({ ...good, role: 'root' }),
      'roles in a list': await sign({ ...good, role: ['operator'] }),
      'no end': await sign({ sub: 'u1', tenant: 'acme' }),
      ended: await sign({ ...good, exp: exp - 7_200 }),
      'not yet good': await sign({ ...good, nbf: exp }),
      'an end that is a text': await sign({ ...good, exp: String(exp) as unknown as number }).catch(() => `${head}.${claims}.x`),
      'another secret': await sign(good, {}, Buffer.from('x'.repeat(64))),
      'no algorithm': new UnsecuredJWT(good).encode(),
      'no algorithm, with the signature': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.${signature}`,
      HS512: await sign(good, { alg: 'HS512' }),
      'a private key of nobody': await new SignJWT(good).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
      'a key that it brings itself': await sign(good, { jwk: { kty: 'oct', k: 'AAAA' } }, Buffer.from('\0\0\0')).catch(() => 'a.b.c'),
      'a key id that is a path': await sign(good, { kid: '../../../dev/null' }, Buffer.alloc(32)),
      'a critical extension': `${Buffer.from('{"alg":"HS256","crit":["x"],"x":1}').toString('base64url')}.${claims}.${signature}`,
      'other claims under the signature': `${head}.${operator}.${signature}`,
      'no signature': `${head}.${claims}.`,
      'nine thousand letters': 'a'.repeat(9_000),
      'four parts': `${whole}.x`,
    };
    for (const [name, token] of Object.entries(forged)) {
      const answer = await stranger(arena, 91)('/v1/connections', { headers: { authorization: `Bearer ${token}` } });
      trials.status(name, answer, 401);
      trials.add(`${name}: as a problem`, isProblem(answer));
      const opened = await stranger(arena, 92)(`/session?token=${encodeURIComponent(token)}`);
      trials.add(`${name}, at the session`, opened.status === 401 || opened.status === 431, `session ${opened.status}`);
    }
    trials.status('a good one', await stranger(arena, 91)('/v1/connections', { headers: { authorization: `Bearer ${whole}` } }), 200);
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
    const as = (path: string) => arena.service.as({ tenant: 'injected', role: 'admin' }, path);
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

const flood: Attack = {
  id: 'A36',
  expected: 'a flood: 429 with Retry-After; X-Forwarded-For changes nothing',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.production();
    const send = async (path: string, headers: (index: number) => Record<string, string>) => {
      const answers: Answer[] = [];
      for (let at = 0; at < 600; at += 30)
        answers.push(
          ...(await Promise.all(Array.from({ length: 30 }, (_, index) => ask(service.url, path, { headers: headers(at + index) })))),
        );
      return answers;
    };
    const token = await service.token({ tenant: 'flood' });
    for (const [name, path, headers] of [
      ['a stranger', '/errors', () => ({})],
      [
        'a stranger of many addresses, as it says',
        '/errors',
        (index: number) => ({
          'x-forwarded-for': `10.1.${index >> 8}.${index & 255}`,
          'x-real-ip': `10.2.0.${index & 255}`,
          forwarded: `for=10.3.0.${index & 255}`,
        }),
      ],
      [
        'one caller',
        '/v1/providers',
        (index: number) => ({ authorization: `Bearer ${token}`, 'x-forwarded-for': `10.4.0.${index & 255}` }),
      ],
    ] as const) {
      const answers = await send(path, headers);
      const slowed = answers.filter(({ status }) => status === 429);
      trials.add(
        name,
        slowed.length > 0 && answers.every(({ status }) => status === 200 || status === 429),
        `${name}: ${answers.length - slowed.length} x 200, ${slowed.length} x 429`,
      );
      trials.add(
        `${name}: told when to come back`,
        slowed.every((answer) => Number(answer.headers['retry-after']) >= 1 && answer.code === 'too_many_requests'),
      );
    }
    trials.status('another caller is not concerned', await service.as({ tenant: 'calm' }, '/v1/providers'), 200);
    return trials.verdict();
  },
};

const SOCKETS = 300;

const slow: Attack = {
  id: 'A37',
  expected: 'slow headers, slow bodies, idle sockets: closed in time, and others are served meanwhile',
  async run(arena) {
    const trials = new Trials();
    const { hostname, port, host } = new URL(arena.service.url);
    const drip = (first: string, every: string, boundMs: number) =>
      new Promise<number | undefined>((resolve) => {
        const startedAt = performance.now();
        const socket = connect(Number(port), hostname, () => socket.write(first));
        const timer = setInterval(() => socket.writable && socket.write(every), 1_000);
        const late = setTimeout(() => end(undefined), boundMs);
        const end = (tookMs: number | undefined) => {
          clearInterval(timer);
          clearTimeout(late);
          socket.destroy();
          resolve(tookMs);
        };
        socket.on('error', () => undefined);
        socket.resume();
        socket.on('close', () => end(performance.now() - startedAt));
      });
    const idle = Promise.all(Array.from({ length: SOCKETS }, () => drip('', '', 45_000)));
    const headers = drip(`GET /health/live HTTP/1.1\r\nhost: ${host}\r\nx-slow: `, 'a', 45_000);
    const body = drip(
      `POST /webhooks/slack HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
      '{',
      75_000,
    );
    const probes: number[] = [];
    for (let i = 0; i < 20; i++) {
      probes.push((await ask(arena.service.url, '/health/live')).durationMs);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const took = { headers: await headers, body: await body, idle: await idle };
    const seconds = (ms: number | undefined) => (ms === undefined ? 'not closed' : `${(ms / 1_000).toFixed(0)} s`);
    trials.add('slow headers', took.headers !== undefined, `headers ${seconds(took.headers)}`);
    trials.add('a slow body', took.body !== undefined, `body ${seconds(took.body)}`);
    const open = took.idle.filter((ms) => ms === undefined).length;
    trials.add(
      'idle sockets',
      open === 0,
      `${SOCKETS - open} of ${SOCKETS} idle closed within ${seconds(Math.max(...took.idle.map((ms) => ms ?? 0)))}`,
    );
    trials.add('others are served', Math.max(...probes) < 3_000, `slowest probe meanwhile ${Math.round(Math.max(...probes))} ms`);
    trials.note(`shortened: ${SOCKETS} sockets, not 5,000`);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [admin, spellings, assignment, tokens, injections, flood, slow];
