import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { randomBytes, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../faults/lib/clean-up';
import { until } from '../faults/lib/waiting';
import type { Attack } from './lib/attack';
import type { Instance, Who } from './lib/instance';
import { judgeStart } from './lib/refused-start';
import { placeOf } from './lib/request';
import { Trials } from './lib/trials';

const WHO: Who = { tenant: 'bounds', user: 'ada' };
/** A stream ends within 5 s of its connection's end; a machine under load gets longer. */
const ENDS_WITHIN_MS = 15_000;
const STREAMS = 10;

const beyond: Attack = {
  id: 'A52',
  expected: 'scopes beyond the allowed, endpoints beyond the declared: 403, nothing goes out',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    for (const [provider, scopes] of [
      ['slack', ['admin']],
      ['slack', ['chat:write', 'admin.users:write']],
      ['google', ['https://www.googleapis.com/auth/drive']],
      ['google', ['https://www.googleapis.com/auth/cloud-platform']],
      ['stripe', ['read_write', 'everything']],
    ] as const)
      trials.status(`${provider} ${scopes.join(' ')}`, await service.as(WHO, '/v1/connect-sessions', { body: { provider, scopes } }), 403);
    trials.status(
      'allowed ones',
      await service.as(WHO, '/v1/connect-sessions', { body: { provider: 'slack', scopes: ['chat:write'] } }),
      201,
    );
    const slack = await arena.connect('slack', WHO, 'T_BOUNDS', service);
    const stripe = await arena.connect('stripe', WHO, 'acct_bounds', service);
    const seq = arena.sandbox.control.lastSeq;
    for (const [id, method, path] of [
      [slack, 'POST', 'admin.users.list'],
      [slack, 'POST', 'auth.revoke'],
      [slack, 'POST', 'oauth.v2.access'],
      [slack, 'GET', 'nothing.of.the.kind'],
      [stripe, 'POST', 'oauth/deauthorize'],
      [stripe, 'POST', 'oauth/token'],
      [stripe, 'GET', 'v1/nothing/of/the/kind'],
    ] as const)
      trials.status(`${method} ${path}`, await service.as(WHO, `/v1/connections/${id}/proxy/${path}`, { method }), 403);
    const went = arena.sandbox.control
      .ledger({ kind: 'request', since: seq })
      .filter(({ endpoint }) => /admin|revoke|access|deauthorize/.test(endpoint ?? ''));
    trials.add('nothing went out', went.length === 0, `${went.length} calls`);
    return trials.verdict();
  },
};

const folder: Attack = {
  id: 'A58',
  expected: 'the data folder is nobody else’s: its files are the owner’s alone, and a looser folder is refused with a sentence',
  boundS: 300,
  async run(arena) {
    if (process.platform === 'win32') return { ok: null, seen: 'not run: Windows has no such rights' };
    const trials = new Trials();
    const service = await arena.product();
    if (service.cluster.databaseUrl) trials.note('the files: not looked at, the database is a server’s');
    else {
      const loose = await looseIn(service.cluster.dataDir);
      trials.add(
        'files and folders',
        loose.length === 0,
        loose.length === 0 ? 'nothing is open to others' : `open: ${loose.slice(0, 3).join(', ')}`,
      );
    }
    const data = await mkdtemp(join(tmpdir(), 'trestle-loose-'));
    atEnd(() => rm(data, { recursive: true, force: true }));
    for (const mode of [0o755, 0o777]) {
      await chmod(data, mode);
      const env = {
        NODE_ENV: 'production',
        DATA_DIR: data,
        PUBLIC_URL: 'https://trestle.example.com',
        ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        API_JWT_SECRET: randomBytes(32).toString('hex'),
        PORT: '0',
        SANDBOX: 'off',
      };
      await judgeStart(trials, `a folder with the mode ${mode.toString(8)}`, env, /DATA_DIR.*chmod 700/);
    }
    return trials.verdict();
  },
};

async function looseIn(root: string): Promise<string[]> {
  const names = ['.', ...(await readdir(root, { recursive: true }))];
  const modes = await Promise.all(
    names.map((name) =>
      stat(join(root, name)).then(
        ({ mode }) => mode,
        () => 0,
      ),
    ),
  ); // some come and go
  return names.filter((_, index) => ((modes[index] ?? 0) & 0o077) !== 0);
}

const once: Attack = {
  id: 'A59',
  expected: 'one Idempotency-Key several times through the proxy, at once and later: one request at the provider',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const stripe = await arena.connect('stripe', WHO, 'acct_bounds', service);
    const key = randomUUID();
    const post = (body = 'email=once%40example.com') =>
      service.as(WHO, `/v1/connections/${stripe}/proxy/v1/customers`, {
        method: 'POST',
        headers: { 'idempotency-key': key, 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
    const before = arena.relay.at('/v1/customers').filter(({ method }) => method === 'POST').length;
    const answers = await Promise.all(Array.from({ length: 8 }, () => post()));
    for (const answer of answers) trials.status('at once', answer, 200, 409);
    for (let i = 0; i < 3; i++) trials.status('later', await post(), 200);
    trials.status('the key with another body', await post('email=other%40example.com'), 422);
    const sent = arena.relay.at('/v1/customers').filter(({ method }) => method === 'POST').length - before;
    trials.add('at the provider', sent === 1, `${sent} request`);
    return trials.verdict();
  },
};

interface Stream {
  readonly status: number;
  readonly ended: Promise<void>;
  close(): void;
}

async function openStream(service: Instance, who: Who, id: string): Promise<Stream> {
  const { hostname, port } = placeOf(service.url);
  const authorization = `Bearer ${await service.token(who)}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, path: `/v1/connections/${id}/events`, headers: { authorization }, agent: false },
      (response) => {
        response.resume();
        response.on('error', () => undefined);
        const ended = new Promise<void>((done) => response.once('close', done));
        resolve({ status: response.statusCode ?? 0, ended, close: () => request.destroy() });
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const streams: Attack = {
  id: 'A60',
  expected: `event streams: ${STREAMS} a user, and each ends with its connection`,
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const who: Who = { tenant: 'streams', user: 'ada' };
    const id = await arena.connect('slack', who, 'T_STREAMS', service);
    const open = await Promise.all(Array.from({ length: STREAMS }, () => openStream(service, who, id)));
    for (const stream of open) trials.status('within the bound', stream, 200);
    for (let i = 0; i < 3; i++) trials.status('beyond it', await openStream(service, who, id), 429);
    const admin = await openStream(service, { ...who, user: 'boss', role: 'admin' }, id);
    trials.status('another user', admin, 200);
    trials.status('another tenant', await openStream(service, { tenant: 'elsewhere', user: 'ada' }, id), 404);
    let ended = 0;
    for (const stream of [...open, admin]) void stream.ended.then(() => ended++);
    await service.as(who, `/v1/connections/${id}`, { method: 'DELETE' });
    const took = await until(() => Promise.resolve(ended === STREAMS + 1), ENDS_WITHIN_MS, 50);
    trials.add(
      'ended with the connection',
      took !== undefined,
      `${ended} of ${STREAMS + 1} ended${took === undefined ? '' : ` within ${(took / 1_000).toFixed(1)} s`}`,
    );
    for (const stream of [...open, admin]) stream.close();
    return trials.verdict();
  },
};

const nested: Attack = {
  id: 'A61',
  expected: 'secrets levels deep, in arrays and in the texts of errors: never in a log',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const stripe = await arena.connect('stripe', WHO, 'acct_bounds', service);
    const mark = randomBytes(12).toString('hex');
    const secrets = [`sk_live_${mark}`, `xoxb-${mark}-1`, `ya29.${mark}`, `whsec_${mark}`];
    const leak = {
      error: {
        message: `Invalid key ${secrets[0]}`,
        details: [{ deep: [{ token: secrets[1] }, { a: { b: { access_token: secrets[2] } } }] }],
        param: secrets[3],
      },
    };
    for (const [status, body] of [
      [400, JSON.stringify(leak)],
      [500, JSON.stringify([leak, [leak]])],
      [401, JSON.stringify({ error: leak })],
      [200, `${JSON.stringify(leak)}<`],
    ] as const) {
      arena.relay.misbehave.set('/v1/products', (_, response) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      );
      await service.as(WHO, `/v1/connections/${stripe}/proxy/v1/products`);
    }
    arena.relay.misbehave.delete('/v1/products');
    await service.as(WHO, '/v1/connections', { body: { provider: 'stripe', apiKey: `rk_live_${mark}`, fields: { x: secrets[1] } } });
    await service.as(WHO, `/v1/connections/${stripe}?token=${secrets[2]}`, { headers: { 'x-api-key': secrets[0] } });
    await service.as(WHO, '/v1/connect-sessions', { body: { provider: 'slack', nested: [{ deep: { secret: secrets[0] } }] } });
    const lines = service.lines.filter((line) => line.includes(mark));
    trials.add(
      'the log',
      lines.length === 0,
      `${lines.length} of ${service.lines.length} lines${lines[0] ? `, e.g. ${lines[0].slice(0, 200)}` : ''}`,
    );
    const operator = await service.as({ tenant: 'operations', user: 'olga', role: 'operator' }, '/v1/admin/requests?limit=100');
    trials.add('the list of requests', operator.status === 200 && !operator.text.includes(mark), 'clean');
    return trials.verdict();
  },
};

const foreign: Attack = {
  id: 'A67',
  expected: 'a proxy caller that names another account or credential: stripped or refused',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const stripe = await arena.connect('stripe', WHO, 'acct_bounds', service);
    const google = await arena.connect('google', WHO, 'bounds@acme.test', service);
    const slack = await arena.connect('slack', WHO, 'T_BOUNDS', service);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const seq = arena.sandbox.control.lastSeq;
    const before = arena.relay.received.length;
    for (const [name, id, path, request] of [
      ['Stripe-Account', stripe, 'v1/customers', { headers: { 'stripe-account': 'acct_other' } }],
      ['STRIPE-ACCOUNT', stripe, 'v1/customers', { headers: { 'STRIPE-ACCOUNT': 'acct_other' } }],
      ['Stripe-Context', stripe, 'v1/customers', { headers: { 'stripe-context': 'acct_other' } }],
      ['_stripe_account', stripe, 'v1/customers?_stripe_account=acct_other', {}],
      ['_stripe_account, encoded', stripe, 'v1/customers?%5fstripe_account=acct_other', {}],
      ['_stripe_account as a list', stripe, 'v1/customers?_stripe_account[]=acct_other', {}],
      ['_stripe_account in a form', stripe, 'v1/customers', { method: 'POST', headers: form, body: '_stripe_account=acct_other' }],
      ['_stripe_account in JSON', stripe, 'v1/customers', { method: 'POST', body: { _stripe_account: 'acct_other' } }],
      ['key', google, 'calendar/v3/calendars/primary/events?key=AIzaOther', {}],
      ['quotaUser', google, 'calendar/v3/calendars/primary/events?quotaUser=somebody', {}],
      ['access_token', google, 'calendar/v3/calendars/primary/events?access_token=ya29.other', {}],
      ['X-Goog-User-Project', google, 'calendar/v3/calendars/primary/events', { headers: { 'x-goog-user-project': 'other' } }],
      ['token in the query', slack, 'conversations.list?token=xoxb-other-token', {}],
      ['token in a form', slack, 'chat.postMessage', { method: 'POST', headers: form, body: 'channel=C1&text=x&token=xoxb-other' }],
    ] as const)
      trials.status(name, await service.as(WHO, `/v1/connections/${id}/proxy/${path}`, request), 403);
    // Syncs go on meanwhile; what was tried would be known by its names.
    const went = [...arena.sandbox.control.ledger({ kind: 'request', since: seq }), ...arena.relay.received.slice(before)];
    const named = went.filter((call) => /acct_other|AIzaOther|xoxb-other|ya29\.other|quotaUser|user-project/i.test(JSON.stringify(call)));
    trials.add('nothing of it went out', named.length === 0, `${named.length} calls`);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [beyond, folder, once, streams, nested, foreign];
