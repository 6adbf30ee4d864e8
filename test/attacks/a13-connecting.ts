import { randomBytes } from 'node:crypto';
import { formOn, signInLinkOf } from '../../demo/http-client';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { ask } from './lib/request';
import { Trials } from './lib/trials';
import { Visitor } from './lib/visitor';

/** Codes that were taken to a provider's token endpoint so far. */
function exchanges(arena: Arena): number {
  const grants = arena.sandbox.control
    .ledger({ kind: 'request' })
    .filter(({ endpoint }) => ['oauth.token', 'oauth.v2.access'].includes(endpoint));
  return grants.filter(({ detail }) => detail?.['grantType'] === 'authorization_code' || detail?.['grantType'] === undefined).length;
}

async function connectionsOf(arena: Arena, tenant: string): Promise<number> {
  return ((await arena.service.as({ tenant }, '/v1/connections')).json as { data: unknown[] }).data.length;
}

/** Consent given at the provider, not yet brought back. @returns the callback's address */
async function consented(
  arena: Arena,
  provider: string,
  visitor: Visitor,
  tenant: string,
  account: Readonly<Record<string, string>> = {},
): Promise<URL> {
  const { authorizeUrl } = await arena.begin(provider, visitor, { tenant });
  for (const [name, value] of Object.entries(account)) authorizeUrl.searchParams.set(name, value);
  return new URL((await visitor.go(authorizeUrl.href)).location ?? '');
}

const start: Attack = {
  id: 'A13',
  expected: 'starting to connect without a session, with a used or foreign one, or inside another site: 401 or 403',
  async run(arena) {
    const trials = new Trials();
    const { url } = arena.service;
    const session = async (provider = 'slack') =>
      new URL(((await arena.service.as({}, '/v1/connect-sessions', { body: { provider } })).json as { connectUrl: string }).connectUrl);
    const used = await session();
    await new Visitor().pressConnect(used.href);
    const other = await session('google');
    const embedded = await session();
    const paths: Readonly<Record<string, string>> = {
      'no session': '/connect/slack',
      'an empty session': '/connect/slack?session=',
      'a made-up session': `/connect/slack?session=${randomBytes(32).toString('base64url')}`,
      'an access token': `/connect/slack?session=${await arena.service.token()}`,
      'a used session': used.pathname + used.search,
      'two sessions': `/connect/slack?session=a&session=b`,
      'a session of another provider': `/connect/slack${other.search}`,
    };
    for (const [name, path] of Object.entries(paths)) trials.status(name, await ask(url, path), 401, 403);
    for (const destination of ['iframe', 'image', 'script', 'empty', 'object', 'embed'])
      trials.status(
        `as ${destination} of another site`,
        await ask(url, embedded.pathname + embedded.search, { headers: { 'sec-fetch-dest': destination, 'sec-fetch-site': 'cross-site' } }),
        401,
        403,
      );
    trials.status(
      'the form of the page, without a session',
      await ask(url, '/settings/integrations/slack/connect', {
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
        body: '_csrf=x',
      }),
      401,
      403,
    );
    const visitor = new Visitor();
    await visitor.go(await signInLinkOf(arena.service.localUrl, await arena.service.cluster.tokenFor({ tenant: 'acme', user: 'csrf' })));
    for (const [name, headers] of [
      ['of another site', { origin: 'https://evil.example' }],
      ['from nowhere', { origin: 'null' }],
      ['without the token', {}],
    ] as const)
      trials.status(
        `the form ${name}, with the victim’s cookie`,
        await ask(url, '/settings/integrations/slack/connect', {
          headers: { cookie: visitor.cookies(url), 'content-type': 'application/x-www-form-urlencoded', ...headers },
          body: '_csrf=guess',
        }),
        401,
        403,
      );
    return trials.verdict();
  },
};

const states: Attack = {
  id: 'A14',
  expected: 'a callback without state, with an unknown or used one: an error page, no code is exchanged',
  async run(arena) {
    const trials = new Trials();
    const before = exchanges(arena);
    const visitor = new Visitor();
    const random = () => randomBytes(32).toString('base64url');
    const denied = await consentedNot(arena, visitor);
    const variants: Readonly<Record<string, string>> = {
      'no state': '?code=x',
      'an empty state': '?code=x&state=',
      'an unknown state': `?code=x&state=${random()}`,
      'a short state': '?code=x&state=1',
      'a long state': `?code=x&state=${'a'.repeat(5_000)}`,
      'no code': `?state=${random()}`,
      'two states': `?code=x&state=${random()}&state=${random()}`,
      'a state that is a list': '?code=x&state[]=1',
      nothing: '',
      'a used state': `?code=x&state=${denied}`,
      'an error with an unknown state': `?error=access_denied&state=${random()}`,
      'code and error': `?code=x&error=y&state=${random()}`,
      'a zero byte': '?code=x&state=%00',
      'an injection': `?code=x&state=${encodeURIComponent("' OR 1=1 --")}`,
    };
    for (const provider of ['slack', 'stripe', 'google'])
      for (const [name, query] of Object.entries(variants)) {
        const answer = await visitor.go(`${arena.service.url}/auth/${provider}/callback${query}`);
        trials.add(
          `${provider}, ${name}`,
          answer.status >= 400 &&
            answer.status < 500 &&
            answer.location === undefined &&
            String(answer.headers['content-type']).startsWith('text/html'),
          answer.status,
        );
      }
    trials.add('no code was exchanged', exchanges(arena) === before, `${exchanges(arena) - before} exchanges`);
    trials.note('an expired state (10 min) is left to the tests with a clock of their own');
    return trials.verdict();
  },
};

/** @returns a state that was used up by a refusal */
async function consentedNot(arena: Arena, visitor: Visitor): Promise<string> {
  const { authorizeUrl } = await arena.begin('slack', visitor, { tenant: 'denied' });
  const state = authorizeUrl.searchParams.get('state') ?? '';
  await visitor.go(`${arena.service.url}/auth/slack/callback?error=access_denied&state=${state}`);
  return state;
}

const planted: Attack = {
  id: 'A15',
  expected: 'the victim’s browser opens the attacker’s callback: refused, nothing is connected for either',
  async run(arena) {
    const trials = new Trials();
    for (const provider of ['slack', 'stripe', 'google'] as const)
      for (const inFlow of [false, true]) {
        const tenant = `planted-${provider}-${inFlow}`;
        const callback = await consented(arena, provider, new Visitor(), tenant);
        const victim = new Visitor();
        // A victim in the middle of a flow of its own has a cookie, and it is another one.
        if (inFlow) await arena.begin(provider, victim, { tenant: `victim-${tenant}` });
        const before = exchanges(arena);
        const opened = await victim.go(callback.href);
        trials.add(
          `${provider}${inFlow ? ', in a flow of its own' : ''}`,
          opened.status >= 400 && opened.location === undefined,
          opened.status,
        );
        trials.add(`${provider}: no exchange`, exchanges(arena) === before);
        trials.add(
          `${provider}: nothing connected`,
          (await connectionsOf(arena, tenant)) === 0 && (await connectionsOf(arena, `victim-${tenant}`)) === 0,
        );
      }
    return trials.verdict();
  },
};

const twice: Attack = {
  id: 'A16',
  expected: 'callbacks at once with one state: one exchange, one connection',
  async run(arena) {
    const trials = new Trials();
    for (const provider of ['slack', 'stripe', 'google'] as const) {
      const tenant = `twice-${provider}`;
      const visitor = new Visitor();
      const callback = await consented(arena, provider, visitor, tenant);
      const before = exchanges(arena);
      const cookie = visitor.cookies(arena.service.url);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => ask(arena.service.url, callback.pathname + callback.search, { headers: { cookie } })),
      );
      const landed = answers.filter(({ headers }) => String(headers.location).includes('success='));
      trials.add(`${provider}: one of five succeeds`, landed.length === 1, `${landed.length} of 5`);
      trials.add(`${provider}: one exchange`, exchanges(arena) - before === 1, `${exchanges(arena) - before} exchange`);
      trials.add(`${provider}: one connection`, (await connectionsOf(arena, tenant)) === 1);
      trials.status(
        `${provider}: again later`,
        await ask(arena.service.url, callback.pathname + callback.search, { headers: { cookie } }),
        400,
        401,
        403,
      );
    }
    return trials.verdict();
  },
};

const injected: Attack = {
  id: 'A17',
  expected: 'a code that belongs to another flow: refused by PKCE, nothing is connected',
  async run(arena) {
    const trials = new Trials();
    const theirs = await consented(arena, 'google', new Visitor(), 'code-victim', { login_hint: 'victim@attack.test' });
    const attacker = new Visitor();
    const mine = await consented(arena, 'google', attacker, 'code-attacker', { login_hint: 'attacker@attack.test' });
    mine.searchParams.set('code', theirs.searchParams.get('code') ?? '');
    const answer = await attacker.go(mine.href);
    const outcome = new URL(answer.location ?? 'about:blank').searchParams;
    trials.add(
      'a stolen code in one’s own flow',
      outcome.get('error') !== null && outcome.get('success') === null,
      outcome.get('error') ?? answer.status,
    );
    trials.add('nothing is connected', (await connectionsOf(arena, 'code-attacker')) === 0);
    const { authorizeUrl } = await arena.begin('google', new Visitor(), { tenant: 'code-attacker' });
    trials.add(
      'S256 is asked for',
      authorizeUrl.searchParams.get('code_challenge_method') === 'S256' &&
        (authorizeUrl.searchParams.get('code_challenge') ?? '').length === 43,
    );
    trials.note('Google only: Stripe offers no PKCE, and Slack would make the app a public client');
    return trials.verdict();
  },
};

const issuers: Attack = {
  id: 'A18',
  expected: 'an issuer that is another provider’s: refused before the exchange',
  async run(arena) {
    const trials = new Trials();
    const before = exchanges(arena);
    const variants: readonly [string, string][] = [
      ['google', 'https://evil.example'],
      ['google', 'https://accounts.google.com.evil.example'],
      ['google', 'https://accounts.google.com@evil.example'],
      ['google', 'https://slack.com'],
      ['google', 'http://accounts.google.com'],
      ['slack', 'https://accounts.google.com'],
      ['stripe', 'https://evil.example'],
    ];
    for (const [provider, iss] of variants) {
      const visitor = new Visitor();
      const callback = await consented(arena, provider, visitor, `issuer-${provider}`);
      callback.searchParams.set('iss', iss);
      const answer = await visitor.go(callback.href);
      trials.add(`${provider} with ${iss}`, answer.status >= 400 && answer.location === undefined, answer.status);
    }
    // Another provider's callback with a state that is good elsewhere.
    const visitor = new Visitor();
    const callback = await consented(arena, 'slack', visitor, 'issuer-crossed');
    const crossed = await visitor.go(`${arena.service.url}/auth/google/callback${callback.search}`);
    trials.add('Slack’s answer at Google’s callback', crossed.status >= 400 && crossed.location === undefined, crossed.status);
    trials.add('no code was exchanged', exchanges(arena) === before, `${exchanges(arena) - before} exchanges`);
    return trials.verdict();
  },
};

const hosts: Attack = {
  id: 'A19',
  expected: 'Host and X-Forwarded-* spoofed: addresses are made of PUBLIC_URL only',
  async run(arena) {
    const trials = new Trials();
    const { url } = arena.service;
    const spoofed: readonly Readonly<Record<string, string>>[] = [
      { host: 'evil.example' },
      { host: 'evil.example:443' },
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' },
      { forwarded: 'host=evil.example;proto=https' },
      { 'x-host': 'evil.example' },
      { 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
      { 'x-forwarded-port': '1', 'x-forwarded-prefix': '/evil' },
      { origin: 'https://evil.example', referer: 'https://evil.example/' },
    ];
    for (const headers of spoofed) {
      const name = JSON.stringify(headers);
      const session = await arena.service.as({}, '/v1/connect-sessions', { body: { provider: 'google' }, headers });
      const { connectUrl } = session.json as { connectUrl: string };
      trials.add(`${name}: connectUrl`, connectUrl.startsWith(`${url}/connect/`));
      const visitor = new Visitor();
      const { action, fields } = formOn((await visitor.go(connectUrl, headers)).text);
      // Everything but the Origin: the form of another site is refused, which is tried above.
      const { location } = await visitor.post(url + action, fields, { ...headers, origin: url });
      trials.add(
        `${name}: redirect_uri`,
        new URL(String(location)).searchParams.get('redirect_uri') === `${url}/auth/google/callback`,
        'redirect_uri of PUBLIC_URL',
      );
      const problem = await ask(url, '/v1/nothing', { headers });
      trials.add(`${name}: nothing else names it`, !`${problem.text}${JSON.stringify(problem.headers)}`.includes('evil'));
    }
    return trials.verdict();
  },
};

const returns: Attack = {
  id: 'A20',
  expected: 'a return address that leads elsewhere, however it is written: 400',
  async run(arena) {
    const trials = new Trials();
    const { url } = arena.service;
    const host = new URL(url).host;
    const elsewhere = [
      'https://evil.example',
      'https://evil.example/',
      '//evil.example',
      '///evil.example',
      '////evil.example',
      '/\\evil.example',
      '\\/evil.example',
      '\\\\evil.example',
      '/\\/evil.example',
      'https:evil.example',
      'https:/evil.example',
      'http:evil.example',
      'https:\\\\evil.example',
      '%2f%2fevil.example',
      '/%2fevil.example',
      '/%2F%2Fevil.example',
      '/%5cevil.example',
      `${url}@evil.example`,
      `http://${host}@evil.example/`,
      `http://${host}:x@evil.example`,
      `http://${host}.evil.example/`,
      `http://evil.example#@${host}/`,
      `http://evil.example\\@${host}/`,
      `http://evil.example?@${host}`,
      'http://user:pass@' + host,
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'java\nscript:alert(1)',
      'data:text/html,<script>alert(1)</script>',
      'vbscript:x',
      'file:///etc/passwd',
      'ftp://evil.example',
      'blob:https://evil.example/x',
      '/ok\r\nLocation: https://evil.example',
      '/ok\nSet-Cookie: a=b',
      '/\t/evil.example',
      '/\n/evil.example',
      '\t//evil.example',
      ' https://evil.example',
      '/ /evil.example',
      '/\u2028/evil.example',
      '/\u200b/evil.example',
      'evil.example',
      './evil',
      '../evil',
      '?x',
      '#x',
      `http://${host}\u3002evil.example`,
      'https://\u24d4vil.example',
      'null',
      `/${'a'.repeat(3_000)}`,
    ];
    for (const returnTo of elsewhere) {
      trials.status(
        `returnTo ${JSON.stringify(returnTo).slice(0, 60)}`,
        await arena.service.as({}, '/v1/connect-sessions', { body: { provider: 'slack', returnTo } }),
        400,
      );
      const made = await arena.service.as({ tenant: 'acme', user: 'opener' }, '/v1/browser-sessions', { body: { returnTo } });
      const opened = made.status === 201 ? await new Visitor().go((made.json as { url: string }).url) : made;
      const { location } = opened.headers;
      const leads = typeof location === 'string' ? new URL(location, url).origin : undefined;
      trials.add(`session ${JSON.stringify(returnTo).slice(0, 60)}`, opened.status === 400 || leads === new URL(url).origin, opened.status);
    }
    for (const returnTo of ['/settings/integrations', `${url}/landed?x=1`, '/a%2fb', '/x?next=//evil.example'])
      trials.status(
        `honest ${returnTo}`,
        await arena.service.as({}, '/v1/connect-sessions', { body: { provider: 'slack', returnTo } }),
        201,
      );
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [start, states, planted, twice, injected, issuers, hosts, returns];
