import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { rawStatus, type Answer } from './lib/request';
import type { Relayed } from './lib/relay';
import { Tripwire } from './lib/tripwire';
import { Trials } from './lib/trials';

const base = (connection: string) => `/v1/connections/${connection}/proxy`;

const elsewhere: Attack = {
  id: 'A25',
  expected: 'a path that leads away from the provider’s API: 400; credentials reach the provider’s origin only',
  async run(arena) {
    const trials = new Trials();
    const tripwire = await Tripwire.set();
    const evil = `127.0.0.1:${tripwire.port}`;
    const connection = await arena.connect('stripe');
    const paths = [
      `http://${evil}/v1/charges`,
      `https://${evil}/`,
      `HTTP://${evil}/`,
      `http:/${evil}/`,
      `http:${evil}/`,
      `http%3A%2F%2F${evil}/`,
      `http%3a//${evil}/`,
      `/${evil}/`,
      `//${evil}/`,
      `///${evil}/`,
      `%2f%2f${evil}/`,
      `/%2f${evil}/`,
      `%2F${evil}/`,
      `%252f%252f${evil}/`,
      `@${evil}/`,
      `user@${evil}/`,
      `user:pass@${evil}/`,
      `%40${evil}/`,
      `%2540${evil}/`,
      `v1/customers@${evil}`,
      `:80@${evil}/`,
      `.${evil}@/`,
      `\\\\${evil}\\`,
      `\\${evil}`,
      `v1\\..\\..\\admin`,
      `%5c%5c${evil}/`,
      `/\\${evil}/`,
      `%255c${evil}`,
      '../',
      '../../oauth/token',
      'v1/../../oauth/token',
      'v1/..',
      '..',
      '.',
      './v1/charges',
      'v1/./charges',
      'v1/..;/charges/../..',
      '%2e%2e/oauth/token',
      '%2E%2E/',
      '.%2e/',
      '%2e./',
      'v1/%2e%2e/%2e%2e/oauth',
      '%252e%252e/',
      'v1/%25252e%25252e/x',
      '..%2foauth',
      '..%5coauth',
      'v1%2f..%2f..%2foauth',
      'v1//charges',
      'v1/charges//',
      `${evil}/v1/charges`,
      'javascript:alert(1)',
      'file:///etc/passwd',
      'data:text/plain,x',
      'v1/charges%0d%0aHost:%20evil',
      'v1/charges%0aX:%20y',
      'v1/%00',
      'v1/%09/x',
      'v1/charges%7f',
      '%c0%ae%c0%ae/',
      'v1/%zz',
      'v1/%',
      '%ff%fe',
    ];
    for (const path of paths) {
      const answer = await through(arena, connection, path);
      // A path that the router cannot read at all ends before the proxy.
      trials.status(path, answer, 400);
    }
    const token = await arena.service.token();
    const host = new URL(arena.service.url).host;
    const raw = (line: string) =>
      rawStatus(
        arena.service.url,
        `${line} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n${MARK}: 1\r\nconnection: close\r\n\r\n`,
      );
    for (const [name, line] of [
      ['an absolute address as the target', `GET http://${evil}${base(connection)}/v1/charges`],
      ['a tunnel', `CONNECT ${evil}`],
      ['a tab in the path', `GET ${base(connection)}/v1/\tcharges`],
      ['TRACE', `TRACE ${base(connection)}/v1/charges`],
    ] as const) {
      const status = await raw(line);
      trials.add(name, status === 0 || status >= 400, status);
    }
    trials.add(
      'none of them went out',
      marked(arena).length === 0,
      `${marked(arena).length} calls went out${marked(arena)
        .map(({ method, url }) => ` ${method} ${url}`)
        .join()}`,
    );
    const fine = await through(arena, connection, `v1/customers?limit=1&url=http://${evil}/`);
    trials.status('an honest path', fine, 200);
    trials.add(
      'credentials at the provider',
      marked(arena).length === 1 && valuesOf(marked(arena)[0]?.rawHeaders ?? [], 'authorization').length === 1,
      'the provider saw the credentials',
    );
    trials.add('nobody else was reached', tripwire.connections === 0, `${tripwire.connections} connections elsewhere`);
    return trials.verdict();
  },
};

/** The service's own calls, of a sync, go the same way: these are told apart. */
const MARK = 'x-attack';

function through(arena: Arena, connection: string, path: string): Promise<Answer> {
  return arena.service.as({}, `${base(connection)}/${path}`, { headers: { [MARK]: '1' } });
}

function marked(arena: Arena): Relayed[] {
  return arena.relay.received.filter(({ rawHeaders }) => valuesOf(rawHeaders, MARK).length > 0);
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** Sent through the proxy, and not to arrive. */
const NOT_HANDED_ON: Readonly<Record<string, string>> = {
  'keep-alive': 'timeout=1',
  'proxy-connection': 'keep-alive',
  'proxy-authorization': 'Basic YTpi',
  te: 'trailers',
  trailer: 'x-late',
  cookie: 'trestle_session=stolen',
  forwarded: 'for=10.0.0.1',
  'x-forwarded-for': '10.0.0.1',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-real-ip': '10.0.0.1',
  via: '1.1 evil',
  'x-http-method-override': 'DELETE',
  'x-method-override': 'DELETE',
  'x-named-hop': 'of this hop only',
  origin: 'https://evil.example',
  referer: 'https://evil.example/',
  'sec-fetch-site': 'cross-site',
};

const headers: Attack = {
  id: 'A28',
  expected: 'headers of the hop, Host and Authorization through the proxy: stripped; line breaks and smuggled lengths: 400',
  async run(arena) {
    const trials = new Trials();
    const connection = await arena.connect('stripe');
    const token = await arena.service.token();
    const path = '/v1/products';
    const { host } = new URL(arena.service.url);
    const lines = Object.entries(NOT_HANDED_ON).map(([name, value]) => `${name}: ${value}`);
    const status = await rawStatus(
      arena.service.url,
      [
        `GET ${base(connection)}${path} HTTP/1.1`,
        `host: ${host}`,
        `authorization: Bearer ${token}`,
        'connection: close, x-named-hop',
        'accept: application/json',
        'x-honest: yes',
        ...lines,
        '',
        '',
      ].join('\r\n'),
    );
    trials.add('with headers of every kind', status === 200, status);
    const seen = arena.relay.at(path).find(({ rawHeaders }) => valuesOf(rawHeaders, 'x-honest').length > 0);
    const arrived = seen?.rawHeaders ?? [];
    for (const name of Object.keys(NOT_HANDED_ON))
      trials.add(
        `${name} stays here`,
        valuesOf(arrived, name).every((value) => value !== NOT_HANDED_ON[name]),
      );
    trials.add(
      'Host is the provider’s',
      valuesOf(arrived, 'host').join() === new URL(arena.relay.url).host,
      `host ${valuesOf(arrived, 'host').join()}`,
    );
    const authorizations = valuesOf(arrived, 'authorization');
    trials.add('one Authorization, the connection’s', authorizations.length === 1 && !authorizations[0]?.includes(token));
    trials.add('an honest header arrives', valuesOf(arrived, 'x-honest').join() === 'yes');
    await onTheWire(arena, trials, connection, token);
    await onTheWayBack(arena, trials, connection);
    return trials.verdict();
  },
};

/** What no client would send. */
async function onTheWire(arena: Arena, trials: Trials, connection: string, token: string): Promise<void> {
  const { url } = arena.service;
  const host = new URL(url).host;
  const before = arena.relay.at('/v1/smuggled').length;
  const request = (lines: readonly string[], body = '') =>
    [`POST ${base(connection)}/v1/smuggled HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${token}`, ...lines, '', body].join('\r\n');
  const variants: Readonly<Record<string, string>> = {
    'length and chunks': request(['content-length: 5', 'transfer-encoding: chunked'], '0\r\n\r\nGET /x HTTP/1.1\r\n\r\n'),
    'two lengths': request(['content-length: 5', 'content-length: 6'], 'hello'),
    'a list of lengths': request(['content-length: 5, 6'], 'hello'),
    'chunks with a space': request(['transfer-encoding : chunked'], '0\r\n\r\n'),
    'chunks by another name': request(['transfer-encoding: xchunked'], '0\r\n\r\n'),
    'chunks twice': request(['transfer-encoding: chunked, identity'], '0\r\n\r\n'),
    'a folded header': request(['x-a: b', ' folded: c', 'content-length: 0']),
    'a line feed alone': request(['x-a: b\nx-injected: c', 'content-length: 0']),
    'a carriage return alone': request(['x-a: b\rx-injected: c', 'content-length: 0']),
    'a zero byte': request(['x-a: b\0c', 'content-length: 0']),
    'no name': request([': value', 'content-length: 0']),
    'a space in a name': request(['x a: b', 'content-length: 0']),
    'two hosts': request(['host: evil.example', 'content-length: 0']),
    'a chunk size that overflows': request(['transfer-encoding: chunked'], 'fffffffffffffffff\r\nx\r\n0\r\n\r\n'),
    '20 KiB of headers': request([`x-a: ${'a'.repeat(20 * 1024)}`, 'content-length: 0']),
  };
  for (const [name, bytes] of Object.entries(variants)) {
    const status = await rawStatus(url, bytes);
    trials.add(name, [400, 431, 501].includes(status) || (status === 0 && name.startsWith('a chunk')), status);
  }
  const out = arena.relay.at('/v1/smuggled').slice(before);
  trials.add('nothing of it went out', out.length === 0, `${out.length} calls went out`);
}

/** What a provider's answer must not do to the caller. */
async function onTheWayBack(arena: Arena, trials: Trials, connection: string): Promise<void> {
  arena.relay.misbehave.set('/v1/hostile', (_, response) =>
    response
      .writeHead(200, {
        'content-type': 'text/html',
        'set-cookie': 'trestle_session=planted; Path=/',
        location: 'https://evil.example/',
        'access-control-allow-origin': '*',
        'content-security-policy': "default-src * 'unsafe-inline'",
        'clear-site-data': '"*"',
        refresh: '0; url=https://evil.example/',
        'strict-transport-security': 'max-age=0',
        server: 'evil',
        'x-powered-by': 'evil',
        'keep-alive': 'timeout=999',
      })
      .end('<script>alert(1)</script>'),
  );
  const answer = await arena.service.as({}, `${base(connection)}/v1/hostile`);
  for (const name of ['set-cookie', 'location', 'access-control-allow-origin', 'clear-site-data', 'refresh', 'server', 'x-powered-by'])
    trials.add(`${name} of the answer stays here`, answer.headers[name] === undefined);
  trials.add(
    'a page cannot act as one of ours',
    String(answer.headers['content-security-policy']).includes('sandbox') && answer.headers['x-content-type-options'] === 'nosniff',
  );
}

export const attacks: readonly Attack[] = [elsewhere, headers];
