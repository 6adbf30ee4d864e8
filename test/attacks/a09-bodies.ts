import { gzipSync } from 'node:zlib';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { slackSignature, slackDelivery, stripeSecret, stripeSignature } from './lib/delivery';
import { ask, isProblem, rawStatus, type Ask } from './lib/request';
import { Trials } from './lib/trials';

const SESSIONS = '/v1/connect-sessions';
const GOOD = JSON.stringify({ provider: 'slack' });
const MIB = 1024 * 1024;

const contentTypes: Attack = {
  id: 'A9',
  expected: 'content types that do not fit: 415 or 400, never taken for JSON',
  async run(arena) {
    const trials = new Trials();
    const variants: Readonly<Record<string, Ask>> = {
      'JSON as text': { headers: { 'content-type': 'text/plain' }, body: GOOD },
      'JSON without a type': { body: GOOD },
      'JSON as a form': { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: GOOD },
      'a form that reads like it': { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'provider=slack&extra=1' },
      multipart: {
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\ncontent-disposition: form-data; name="provider"\r\n\r\nslack\r\n--x--',
      },
      XML: { headers: { 'content-type': 'application/xml' }, body: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' },
      YAML: { headers: { 'content-type': 'application/yaml' }, body: 'provider: slack' },
      'text/json': { headers: { 'content-type': 'text/json' }, body: GOOD },
      jsonp: { headers: { 'content-type': 'application/jsonp' }, body: GOOD },
      'a list of types': { headers: { 'content-type': 'text/plain, application/json' }, body: GOOD },
      'a type in a parameter': { headers: { 'content-type': 'text/plain; application/json' }, body: GOOD },
      'an odd type': { headers: { 'content-type': '../../json' }, body: GOOD },
      'UTF-16': { headers: { 'content-type': 'application/json; charset=utf-16' }, body: Buffer.from(GOOD, 'utf16le') },
      gzip: { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: gzipSync(GOOD) },
      'an encoding that is none': { headers: { 'content-type': 'application/json', 'content-encoding': 'rot13' }, body: GOOD },
      'text that is no JSON': { headers: { 'content-type': 'application/json' }, body: 'provider=slack' },
      'two documents': { headers: { 'content-type': 'application/json' }, body: GOOD + GOOD },
      'a list': { headers: { 'content-type': 'application/json' }, body: `[${GOOD}]` },
      'a string': { headers: { 'content-type': 'application/json' }, body: JSON.stringify(GOOD) },
      null: { headers: { 'content-type': 'application/json' }, body: 'null' },
    };
    for (const [name, request] of Object.entries(variants)) {
      const answer = await arena.service.as({}, SESSIONS, { method: 'POST', ...request });
      trials.status(name, answer, 400, 415);
      trials.add(`${name}: as a problem`, isProblem(answer));
    }
    trials.status('JSON as JSON', await arena.service.as({}, SESSIONS, { body: { provider: 'slack' } }), 201);
    for (const provider of ['slack', 'stripe', 'google'])
      trials.status(
        `unsigned form at ${provider}`,
        await ask(arena.service.url, `/webhooks/${provider}`, {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'payload={}',
        }),
        401,
      );
    const { body } = slackDelivery(arena);
    const packed = gzipSync(body);
    trials.status(
      'signed and compressed',
      await ask(arena.service.url, '/webhooks/slack', {
        headers: { 'content-encoding': 'gzip', ...slackSignature(arena.secret('SLACK_SIGNING_SECRET'), packed) },
        body: packed,
      }),
      415,
    );
    const xml = '<event/>';
    trials.status(
      'signed XML',
      await ask(arena.service.url, '/webhooks/stripe', {
        headers: { 'content-type': 'application/xml', ...stripeSignature(stripeSecret(arena), xml) },
        body: xml,
      }),
      // Its sender is who it says: it is not sent away for days, but kept as what cannot be read.
      200,
    );
    const kept = await arena.operator('/v1/admin/webhook-events?provider=stripe&type=unreadable');
    trials.add('signed XML is taken for no event', (kept.json as { data: unknown[] }).data.length === 1, 'kept as unreadable');
    return trials.verdict();
  },
};

const shapes: Attack = {
  id: 'A10',
  expected: '__proto__, JSON 10,000 deep, a million keys: 400, 413 or inert; the loop stalls less than 100 ms',
  async run(arena) {
    const trials = new Trials();
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const json = { 'content-type': 'application/json' };
    const keys = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`;
    const bodies: Readonly<Record<string, string>> = {
      __proto__: '{"provider":"slack","__proto__":{"role":"operator"}}',
      '__proto__ escaped': '{"provider":"slack","__pr\\u006fto__":{"role":"operator"}}',
      'constructor.prototype': '{"provider":"slack","constructor":{"prototype":{"role":"operator"}}}',
      '__proto__ inside': '{"provider":"slack","scopes":[{"__proto__":{"length":9}}]}',
      'a provider named __proto__': '{"provider":"__proto__"}',
      'a provider named constructor': '{"provider":"constructor"}',
      'ten thousand deep': deep,
      'ten thousand objects deep': '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
      'sixty thousand keys': keys(60_000),
      'a million keys': keys(1_000_000),
      'a number of 900,000 digits': `{"provider":${'9'.repeat(900_000)}}`,
      'the same key 50,000 times': `{${'"provider":"slack",'.repeat(50_000)}"provider":1}`,
      'half a surrogate': '{"provider":"\\ud800"}',
      'a zero byte': '{"provider":"sl\\u0000ack"}',
    };
    const calm = await longestStall(arena, () => new Promise((resolve) => setTimeout(resolve, 1_500)));
    let slowest = 0;
    let slowestName = '';
    for (const [name, body] of Object.entries(bodies)) {
      const stall = await longestStall(arena, async () => {
        const answer = await arena.service.as({}, SESSIONS, { method: 'POST', headers: json, body }).catch(() => undefined);
        trials.status(name, answer ?? { status: 0, code: 'connection ended' }, 400, 404, 413, ...(body.length > MIB ? [0] : []));
      });
      if (stall > slowest) [slowest, slowestName] = [stall, name];
    }
    for (const [name, body] of [
      ['deep', deep],
      ['__proto__', '{"__proto__":{"type":"event_callback"},"type":"event_callback"}'],
      ['no event', '{"type":"url_verification"}'],
    ] as const) {
      const answer = await ask(arena.service.url, '/webhooks/slack', {
        headers: { ...json, ...slackSignature(arena.secret('SLACK_SIGNING_SECRET'), body) },
        body,
      });
      // A valid sender is not sent away: what cannot be read is kept without its body, for nobody to handle.
      trials.status(`signed, ${name}`, answer, 200);
    }
    const query = Array.from({ length: 1_000 }, (_, index) => `k${index}=1`).join('&');
    trials.status('a thousand query fields', await arena.service.as({}, `/v1/connections?${query}`), 400);
    trials.status('__proto__ in the query', await arena.service.as({}, '/v1/connections?__proto__[role]=operator&__proto__=1'), 400);
    trials.status('nothing was polluted', await arena.service.as({}, '/v1/admin/queue'), 403);
    // What a busy machine does to an idle service is taken off.
    trials.add(
      'the loop goes on',
      slowest <= Math.max(100, calm * 2 + 50),
      `longest stall ${Math.round(slowest)} ms (${slowestName}), without an attack ${Math.round(calm)} ms`,
    );
    return trials.verdict();
  },
};

/** The longest that the service's event loop stood still while `work` went on, ms, as it measures itself: the measure starts anew with each reading. */
async function longestStall(arena: Arena, work: () => Promise<unknown>): Promise<number> {
  await arena.operator('/metrics');
  await work();
  const { text } = await arena.operator('/metrics');
  return Number(/^nodejs_eventloop_lag_max_seconds ([\d.e+-]+)/m.exec(text)?.[1] ?? Infinity) * 1_000;
}

const sizes: Attack = {
  id: 'A11',
  expected: 'a body over the cap, with its length, chunked or compressed: 413 (415 where compression is not taken), not read to the end',
  async run(arena) {
    const trials = new Trials();
    const { url } = arena.service;
    const token = await arena.service.token();
    const head = (path: string, more: readonly string[]) =>
      [
        `POST ${path} HTTP/1.1`,
        `host: ${new URL(url).host}`,
        `authorization: Bearer ${token}`,
        'content-type: application/json',
        ...more,
        '',
        '',
      ].join('\r\n');
    for (const path of ['/webhooks/slack', '/webhooks/stripe', '/webhooks/google', SESSIONS]) {
      // Only said, never sent: the answer comes from the length alone.
      trials.add(`${path}: a byte too long`, (await rawStatus(url, head(path, [`content-length: ${MIB + 1}`]))) === 413, 413);
      trials.add(`${path}: a terabyte`, (await rawStatus(url, head(path, ['content-length: 1099511627776']))) === 413, 413);
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
      const status = await rawStatus(url, head(path, ['transfer-encoding: chunked']) + chunk.repeat(20) + '0\r\n\r\n');
      trials.add(`${path}: chunked`, status === 413, status);
      const bomb = gzipSync(Buffer.alloc(200 * MIB));
      const answer = await ask(url, path, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: bomb,
      });
      trials.status(`${path}: 200 MiB as ${bomb.length} bytes`, answer, 413, 415, 401);
    }
    const negative = await rawStatus(url, head(SESSIONS, ['content-length: -1']));
    trials.add('a negative length', negative === 400, negative);
    const odd = await rawStatus(url, head(SESSIONS, ['content-length: 1e3']));
    trials.add('a length that is no number', odd === 400, odd);
    const memory = await residentMiB(arena);
    trials.add('memory stays flat', memory < 1_000, `resident ${memory} MiB`);
    trials.status('the service goes on', await ask(url, '/health/live'), 200);
    return trials.verdict();
  },
};

async function residentMiB(arena: Arena): Promise<number> {
  const { text } = await arena.operator('/metrics');
  return Math.round(Number(/^process_resident_memory_bytes ([\d.e+]+)/m.exec(text)?.[1] ?? Infinity) / MIB);
}

export const attacks: readonly Attack[] = [contentTypes, shapes, sizes];
