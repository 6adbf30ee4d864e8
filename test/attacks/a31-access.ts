import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { ADMIN_PAGES, ADMIN_ROUTES } from './lib/admin-paths';
import type { Attack } from './lib/attack';
import { isProblem, type Answer } from './lib/request';
import { stranger } from './lib/stranger';
import { Trials } from './lib/trials';

const ADMIN_PATHS = [...ADMIN_ROUTES, ...ADMIN_PAGES, '/metrics'];

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
      trials.add(path, answer.status >= 300 && !/pending|depth|process_cpu/.test(answer.text), answer.status);
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
      const opened = await stranger(arena, 92)(`/session?code=${encodeURIComponent(token)}`);
      trials.add(`${name}, at the session`, [400, 401, 431].includes(opened.status), `session ${opened.status}`);
    }
    trials.status('a good one', await stranger(arena, 91)('/v1/connections', { headers: { authorization: `Bearer ${whole}` } }), 200);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [admin, spellings, tokens];
