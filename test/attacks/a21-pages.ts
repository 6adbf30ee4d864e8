import { readFile } from 'node:fs/promises';
import { signInLinkOf } from '../../demo/http-client';
import { ADMIN_PAGES, ADMIN_ROUTES } from './lib/admin-paths';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { deliver, nowS, slackSignature, stripeBody, stripeDelivery } from './lib/delivery';
import type { Answer } from './lib/request';
import { Trials } from './lib/trials';
import { Visitor } from './lib/visitor';

const SCRIPT = '<script>alert(1)</script>';
const MARKUP = `"><img src=x onerror=alert(1)>'${SCRIPT}`;
const PAGES = ['/settings/integrations', ...ADMIN_PAGES, ...['slack', 'google', 'stripe'].map((key) => `/admin/providers/${key}`)];

async function signedIn(arena: Arena, who: { tenant: string; user: string; role: string }): Promise<Visitor> {
  const visitor = new Visitor();
  await visitor.go(await signInLinkOf(arena.service.localUrl, await arena.service.cluster.tokenFor(who)));
  return visitor;
}

function isHarmless(answer: Answer): boolean {
  return !/<script>alert|<img src=x|onerror=alert\(1\)>/i.test(answer.text);
}

function policyFaults(answer: Answer): string[] {
  const policy = String(answer.headers['content-security-policy']);
  const demanded = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"];
  return [
    ...demanded.filter((part) => !policy.includes(part)),
    ...(/unsafe-inline|unsafe-eval|script-src[^;]*(\*|https?:|data:)/.test(policy) ? ['scripts are let in'] : []),
    ...(answer.headers['x-content-type-options'] === 'nosniff' ? [] : ['nosniff']),
  ];
}

const scripts: Attack = {
  id: 'A21',
  expected: 'markup in error_description, account names, webhook bodies and queries: escaped on the pages, under a strict policy',
  async run(arena) {
    const trials = new Trials();
    const { url } = arena.service;
    const tenant = 'scripts';
    const connection = await arena.connect('google', { tenant, user: 'ada' }, `"><script>alert(1)</script>@x.test`).catch(() => undefined);
    trials.note(connection ? 'an account whose name is a script is connected' : 'the sandbox takes no such account name');
    const slack = await arena
      .connect('slack', { tenant, user: 'ada' }, `T_${MARKUP}`)
      .catch(() => arena.connect('slack', { tenant, user: 'ada' }));
    const event = JSON.stringify({
      type: 'event_callback',
      team_id: `T_${MARKUP}`,
      api_app_id: 'A1',
      event_id: `Ev${SCRIPT}`,
      event_time: Number(nowS()),
      event: { type: `x${MARKUP}`.slice(0, 90), name: MARKUP },
    });
    trials.status(
      'a webhook full of markup',
      await deliver(url, 'slack', event, slackSignature(arena.secret('SLACK_SIGNING_SECRET'), event)),
      200,
    );
    const stripe = stripeDelivery(
      arena,
      nowS(),
      stripeBody(`evt_${SCRIPT}`, `acct_${MARKUP}`, { id: MARKUP, object: 'charge', description: MARKUP }),
    );
    trials.status('another', await deliver(url, 'stripe', stripe.body, stripe.headers), 200);

    const flow = new Visitor();
    const { authorizeUrl } = await arena.begin('slack', flow, { tenant });
    const state = authorizeUrl.searchParams.get('state') ?? '';
    const text = encodeURIComponent(MARKUP);
    const refused = await flow.go(`${url}/auth/slack/callback?state=${state}&error=${text}&error_description=${text}&error_uri=${text}`);
    trials.add(
      'error_description of a flow',
      !decodeURIComponent(String(refused.location)).includes('script') && isHarmless(refused),
      refused.status,
    );
    const landed = await (await signedIn(arena, { tenant, user: 'ada', role: 'user' })).go(String(refused.location));
    trials.add('where it lands', isHarmless(landed) && landed.status === 200, landed.status);

    const visitor = await signedIn(arena, { tenant: 'operations', user: MARKUP.slice(0, 60), role: 'operator' });
    const person = await signedIn(arena, { tenant, user: 'ada', role: 'admin' });
    const queries = [
      '',
      `?error=${text}`,
      `?success=${text}&connection=${text}`,
      `?provider=${text}`,
      `?type=${text}&eventId=${text}`,
      `?notice=${text}`,
      `?cursor=${text}`,
      `?outcome=${text}`,
    ];
    for (const who of [visitor, person])
      for (const path of PAGES)
        for (const query of queries) {
          const answer = await who.go(`${url}${path}${query}`, { accept: 'text/html' });
          trials.add(`${path}${query.slice(0, 12)}`, answer.status < 500 && isHarmless(answer), answer.status);
          if (query === '')
            trials.add(
              `policy of ${path}`,
              policyFaults(answer).length === 0 || answer.status === 404,
              policyFaults(answer).join(' ') || 'strict policy',
            );
        }
    const rows = (await arena.operator('/v1/admin/webhook-events?provider=slack')).json as { data: { id: string; eventId: string }[] };
    const row = rows.data.find(({ eventId }) => eventId.includes('script'));
    const detail = await visitor.go(`${url}/admin/webhook-events/${row?.id}`, { accept: 'text/html' });
    trials.add(
      'the page of the event',
      detail.status === 200 && isHarmless(detail) && detail.text.includes('&#60;script'),
      'shown escaped',
    );
    for (const path of [
      `/nothing/${text}`,
      `/auth/slack/callback?state=${text}&error_description=${text}`,
      `/connect/${text}?session=${text}`,
      `/session?code=${text}`,
    ]) {
      const answer = await new Visitor().go(`${url}${path}`, { accept: 'text/html' });
      trials.add(path.slice(0, 20), isHarmless(answer) && policyFaults(answer).length === 0, `error page ${answer.status}`);
    }
    trials.add('a connection of it', Boolean(slack));
    return trials.verdict();
  },
};

const CANARY = 'CANARY7f3a9c';
/** What each provider's tokens and keys look like. */
const SECRET =
  /(xox[a-z.]-?[\w.-]{10,}|xoxe[\w.-]{10,}|ya29\.[\w-]{10,}|1\/\/[\w-]{10,}|\b[sr]k_(?:test|live)_\w{10,}|whsec_[\w+/]{16,}|GOCSPX-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+)/;

/** A field that would hold one; what only says where a person finds a key is none. */
const SECRET_FIELD =
  /"(access_?token|refresh_?token|secret|ciphertext|code_?verifier)"\s*:\s*["{[]|"apiKey"\s*:\s*(?!\{"help":"[^"]*"\}[,}])["{[]/i;

/** Everything an administrator or a user can read of the service. */
async function readings(arena: Arena, tenant: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const admin = { tenant, role: 'admin', user: 'root' } as const;
  for (const path of [
    ...ADMIN_ROUTES,
    '/v1/connections',
    '/v1/providers',
    ...['slack', 'stripe', 'google'].map((key) => `/v1/admin/health/${key}/connections`),
  ]) {
    texts.set(path, (await arena.service.as(admin, path)).text);
    if (path.startsWith('/v1/admin')) texts.set(`${path} (operator)`, (await arena.operator(path)).text);
  }
  texts.set('/metrics', (await arena.operator('/metrics')).text);
  const visitor = await signedIn(arena, { tenant, user: 'ada', role: 'admin' });
  for (const page of PAGES) texts.set(`page ${page}`, (await visitor.go(`${arena.service.url}${page}`)).text);
  const { data } = (await arena.service.as(admin, '/v1/connections')).json as { data: { id: string }[] };
  for (const { id } of data)
    for (const path of ['', '/syncs'])
      texts.set(`connection${path} ${id}`, (await arena.service.as(admin, `/v1/connections/${id}${path}`)).text);
  return texts;
}

const reads: Attack = {
  id: 'A23',
  expected: 'reading connections, runs, requests and destinations: no secret in it, nor a field for one',
  async run(arena) {
    const trials = new Trials();
    const tenant = 'readable';
    for (const provider of ['slack', 'stripe', 'google']) await arena.connect(provider, { tenant, user: 'ada' });
    await arena.service.as({ tenant, role: 'admin', user: 'root' }, '/v1/admin/destinations', {
      body: { url: 'https://hooks.example.com/', events: ['sync.completed'] },
    });
    const known = await secretsOf(arena);
    for (const [name, text] of await readings(arena, tenant)) {
      const shown = SECRET.exec(text)?.[0] ?? known.find((secret) => text.includes(secret));
      trials.add(name, shown === undefined && !SECRET_FIELD.test(text), shown === undefined ? 'no secret' : `${shown.slice(0, 8)}…`);
    }
    trials.note(`looked for ${known.length} known secrets`);
    return trials.verdict();
  },
};

/** Every secret that the sandbox gave out, ours at its providers, and our own. */
async function secretsOf(arena: Arena): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 700)); // the sandbox saves its state half a second after a change
  const state = await readFile(arena.stateFile, 'utf8').catch(() => '');
  const seen = arena.relay.received
    .flatMap(({ rawHeaders }) => rawHeaders.filter((value) => value.startsWith('Bearer ')))
    .map((value) => value.slice(7));
  const given = [...(state.match(new RegExp(SECRET.source, 'g')) ?? []), ...seen];
  const own = Object.entries(arena.sandbox.env())
    .filter(([name]) => /SECRET/.test(name))
    .map(([, value]) => value);
  const { jwtSecret, env } = arena.service.cluster;
  return [...new Set([...given, ...own, jwtSecret, (env['ENCRYPTION_KEYS'] ?? '').split(':')[1] ?? ''])].filter(
    (secret) => secret.length > 12,
  );
}

const canaries: Attack = {
  id: 'A22',
  expected: 'secrets in providers’ errors, and all that were ever handed out: found 0 times in logs, metrics, alerts, pages and rows',
  last: true,
  boundS: 300,
  async run(arena) {
    const trials = new Trials();
    const tenant = 'canaries';
    const stripe = await arena.connect('stripe', { tenant, user: 'ada' });
    const slack = await arena.connect('slack', { tenant, user: 'ada' });
    const call = (path: string, body?: object) => arena.service.as({ tenant, user: 'ada' }, path, { ...(body && { body }) });
    for (const [index, status] of [400, 401, 403, 404, 422, 429, 500, 503].entries()) {
      const secret = `sk_live_${CANARY}${index}`;
      arena.relay.misbehave.set('/v1/leaking', (_, response) =>
        response
          .writeHead(status, { 'content-type': 'application/json', 'x-debug-token': secret, 'retry-after': '0' })
          .end(
            JSON.stringify({ error: { type: 'api_error', code: 'odd', message: `Invalid API Key provided: ${secret}`, param: secret } }),
          ),
      );
      await call(`/v1/connections/${stripe}/proxy/v1/leaking`);
    }
    for (const body of [`{"error":{"message":"${CANARY}`, `<html>${CANARY}</html>`]) {
      arena.relay.misbehave.set('/v1/leaking', (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
      await call(`/v1/connections/${stripe}/proxy/v1/leaking`);
    }
    const leak = { ok: false, error: 'internal_error', needed: CANARY, response_metadata: { messages: [`xoxb-${CANARY}`] } };
    arena.sandbox.control.addFault({ kind: 'status', provider: 'slack', endpoint: 'chat.postMessage', status: 200, body: leak, count: 5 });
    const posted = await call(`/v1/connections/${slack}/slack/messages`, { channel: 'C1', text: `hello ${CANARY}-text` });
    trials.add('the answer to the caller', !posted.text.includes(CANARY), posted.status);
    arena.sandbox.control.addFault({
      kind: 'status',
      provider: 'slack',
      endpoint: 'oauth.v2.access',
      status: 400,
      body: { ok: false, error: `xoxe-${CANARY}`, error_description: CANARY },
      count: 2,
    });
    await arena.connect('slack', { tenant: 'canary-flow' }).catch(() => undefined);
    arena.sandbox.control.clearFaults({});
    await call(`/v1/connections/${stripe}?token=${CANARY}`);
    await arena.service.as({}, '/v1/connections', { body: { provider: 'stripe', apiKey: `rk_test_${CANARY}` } });
    await deliver(arena.service.url, 'stripe', `{"client_secret":"${CANARY}"}`, {
      'stripe-signature': `t=1,v1=${CANARY}`,
      authorization: `Bearer ${CANARY}`,
      cookie: `a=${CANARY}`,
    });

    const secrets = [CANARY, ...(await secretsOf(arena)), await arena.service.token()];
    // Those by name, and whatever looks like one.
    const count = (text: string) => [
      ...secrets.filter((secret) => text.includes(secret)),
      ...(SECRET.exec(text)?.[0] ?? '').split('\n').filter(Boolean),
    ];
    for (const [name, text] of await readings(arena, tenant)) trials.add(name, count(text).length === 0, 'clean');
    for (const [name, text] of await readings(arena, 'acme')) trials.add(name, count(text).length === 0, 'clean');

    const [member] = arena.service.cluster.members;
    await member?.stop();
    const lines = arena.service.lines;
    const dirty = lines.filter((line) => count(line).length > 0);
    trials.add(
      'the log',
      dirty.length === 0,
      `${dirty.length} of ${lines.length} lines of the log${dirty[0] ? `, e.g. ${dirty[0].slice(0, 160)}` : ''}`,
    );
    const rows = await everyRow(arena);
    const found = rows.filter(({ text }) => count(text).length > 0).map(({ table }) => table);
    trials.add(
      'the database',
      rows.length > 0 && found.length === 0,
      `${found.length} of ${rows.length} rows${found.length ? ` in ${[...new Set(found)].join(', ')}` : ''}`,
    );
    trials.note(`looked for ${secrets.length} secrets`);
    await member?.start();
    return trials.verdict();
  },
};

/** The whole database as text. */
async function everyRow(arena: Arena): Promise<{ table: string; text: string }[]> {
  const tables = await arena.service.cluster.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  );
  const union = tables.map(({ name }) => `SELECT '${name}' AS "table", t::text AS text FROM "${name}" t`).join(' UNION ALL ');
  return arena.service.cluster.query(union);
}

export const attacks: readonly Attack[] = [scripts, canaries, reads];
