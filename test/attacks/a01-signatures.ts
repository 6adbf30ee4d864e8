import type { Attack } from './lib/attack';
import { RETIRED_SECRET, ROLLED_SECRET, type Arena } from './lib/arena';
import {
  countOf,
  deliver,
  nowS,
  slackBody,
  slackDelivery,
  slackSignature,
  stored,
  stripeBody,
  stripeDelivery,
  stripeSecret,
  stripeSignature,
  type Delivery,
} from './lib/delivery';
import { Trials } from './lib/trials';

interface Forgery {
  readonly name: string;
  readonly provider: 'slack' | 'stripe' | 'google';
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** Sends each; all are to be answered 401, and none is to be in the inbox afterwards. */
async function refuseAll(arena: Arena, forgeries: readonly Forgery[]): Promise<Trials> {
  const trials = new Trials();
  const before = await inboxSizes(arena);
  for (const { name, provider, body, headers } of forgeries) {
    trials.status(`${provider} ${name}`, await deliver(arena.service.url, provider, body, headers), 401);
  }
  const after = await inboxSizes(arena);
  trials.add('nothing is stored', before.join() === after.join(), 'inbox unchanged');
  return trials;
}

function inboxSizes(arena: Arena): Promise<number[]> {
  return Promise.all(['slack', 'stripe', 'google'].map((provider) => countOf(arena, provider)));
}

function without(headers: Delivery['headers'], ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** The same delivery with another signature in it, of both providers that sign. */
function resigned(arena: Arena, name: string, change: (hex: string) => string): Forgery[] {
  const slack = slackDelivery(arena);
  const stripe = stripeDelivery(arena);
  const hex = (slack.headers['x-slack-signature'] ?? '').slice(3);
  const [time = '', value = ''] = (stripe.headers['stripe-signature'] ?? '').split(',v1=');
  return [
    { name, provider: 'slack', body: slack.body, headers: { ...slack.headers, 'x-slack-signature': `v0=${change(hex)}` } },
    { name, provider: 'stripe', body: stripe.body, headers: { ...stripe.headers, 'stripe-signature': `${time},v1=${change(value)}` } },
  ];
}

function flipped(hex: string, at: number): string {
  return hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);
}

const none: Attack = {
  id: 'A1',
  expected: 'no or empty signature, or a provider without a secret: 401, nothing stored',
  async run(arena) {
    const slack = slackDelivery(arena);
    const stripe = stripeDelivery(arena);
    const forged = (
      name: string,
      provider: Forgery['provider'],
      headers: Forgery['headers'],
      body: string = provider === 'slack' ? slack.body : stripe.body,
    ): Forgery => ({
      name,
      provider,
      body,
      headers,
    });
    const json = { 'content-type': 'application/json' };
    const trials = await refuseAll(arena, [
      forged('no signature', 'slack', without(slack.headers, 'x-slack-signature')),
      forged('no headers at all', 'slack', {}),
      forged('empty signature', 'slack', { ...slack.headers, 'x-slack-signature': '' }),
      forged('the prefix only', 'slack', { ...slack.headers, 'x-slack-signature': 'v0=' }),
      forged('signed with the empty secret', 'slack', { ...json, ...slackSignature('', slack.body) }),
      forged('signed with "undefined"', 'slack', { ...json, ...slackSignature('undefined', slack.body) }),
      forged('no signature', 'stripe', json),
      forged('empty signature', 'stripe', { ...json, 'stripe-signature': '' }),
      forged('a time only', 'stripe', { ...json, 'stripe-signature': `t=${nowS()}` }),
      forged('an empty v1', 'stripe', { ...json, 'stripe-signature': `t=${nowS()},v1=` }),
      forged('an old scheme only', 'stripe', {
        ...json,
        'stripe-signature': (stripe.headers['stripe-signature'] ?? '').replace('v1=', 'v0='),
      }),
      forged('signed with the empty secret', 'stripe', { ...json, ...stripeSignature('', stripe.body) }),
      forged('no token', 'google', json, '{}'),
      forged('an empty token', 'google', { ...json, authorization: 'Bearer ' }, '{}'),
      forged(
        'an empty channel token',
        'google',
        { 'x-goog-channel-id': 'c', 'x-goog-channel-token': '', 'x-goog-resource-state': 'exists' },
        '',
      ),
    ]);
    for (const provider of ['slack', 'stripe', 'google'] as const) {
      const { byStatus } = await arena.sandbox.control.deliver({
        provider,
        type: provider === 'slack' ? 'team_rename' : provider === 'stripe' ? 'charge.updated' : 'gmail.push',
        ...(provider === 'google' && { account: 'ada@acme.test' }),
        count: 1,
        forge: 'no-signature',
        retries: 0,
      });
      for (const status of Object.keys(byStatus)) trials.add(`${provider} as the sandbox forges it`, status === '401', status);
    }
    // This one has no secret of Slack's, and knows no subscription of Google's.
    const silent = await arena.production();
    for (const [name, secret] of [
      ['the empty secret', ''],
      ['the right secret of elsewhere', arena.secret('SLACK_SIGNING_SECRET')],
    ] as const) {
      const body = slackBody();
      trials.status(
        `no secret is set, signed with ${name}`,
        await deliver(silent.url, 'slack', body, { ...json, ...slackSignature(secret, body) }),
        401,
      );
    }
    trials.status('no audience is set', await deliver(silent.url, 'google', '{}', { ...json, authorization: 'Bearer a.b.c' }), 401);
    trials.status('a provider that nobody knows', await deliver(arena.service.url, '__proto__', slack.body, slack.headers), 404);
    return trials.verdict();
  },
};

const wrong: Attack = {
  id: 'A2',
  expected: 'a wrong signature of any length or alphabet: 401, never 500',
  async run(arena) {
    const changes: Readonly<Record<string, (hex: string) => string>> = {
      'first digit': (hex) => flipped(hex, 0),
      'last digit': (hex) => flipped(hex, 63),
      'a digit short': (hex) => hex.slice(1),
      'a byte short': (hex) => hex.slice(2),
      'a byte long': (hex) => `${hex}00`,
      'one digit': () => '0',
      'all zero': () => '0'.repeat(64),
      'SHA-1 long': (hex) => hex.slice(0, 40),
      'SHA-512 long': (hex) => hex + hex,
      'not hexadecimal': () => 'z'.repeat(64),
      'as base64': (hex) => Buffer.from(hex, 'hex').toString('base64'),
      'beyond ASCII': () => '\u00e9'.repeat(64),
      'two thousand digits': () => 'a'.repeat(2_000),
      'a space in front of it': (hex) => ` ${hex}`.slice(0, 64),
      reversed: (hex) => [...hex].reverse().join(''),
    };
    const forgeries = Object.entries(changes).flatMap(([name, change]) => resigned(arena, name, change));
    const slack = slackDelivery(arena);
    const stripe = stripeDelivery(arena);
    const more: Forgery[] = [
      {
        name: 'another prefix',
        provider: 'slack',
        body: slack.body,
        headers: { ...slack.headers, 'x-slack-signature': `v1=${(slack.headers['x-slack-signature'] ?? '').slice(3)}` },
      },
      {
        name: 'with another secret',
        provider: 'slack',
        body: slack.body,
        headers: { ...slack.headers, ...slackSignature('another secret', slack.body) },
      },
      {
        name: 'with another secret',
        provider: 'stripe',
        body: stripe.body,
        headers: { ...stripe.headers, ...stripeSignature('whsec_another', stripe.body) },
      },
      { name: 'commas only', provider: 'stripe', body: stripe.body, headers: { 'stripe-signature': ','.repeat(8_000) } },
      { name: 'no equals signs', provider: 'stripe', body: stripe.body, headers: { 'stripe-signature': 't,v1,t,v1' } },
      { name: 'a token without algorithm', provider: 'google', body: '{}', headers: { authorization: `Bearer ${unsigned(arena)}` } },
      { name: 'a token of HMAC', provider: 'google', body: '{}', headers: { authorization: `Bearer ${await arena.service.token()}` } },
      { name: 'no token at all behind Bearer', provider: 'google', body: '{}', headers: { authorization: 'Bearer x' } },
      {
        name: 'a channel that nobody opened',
        provider: 'google',
        body: '',
        headers: {
          'x-goog-channel-id': 'nobodys',
          'x-goog-channel-token': 'x',
          'x-goog-resource-id': 'r',
          'x-goog-resource-state': 'exists',
          'x-goog-message-number': '2',
        },
      },
    ];
    return (await refuseAll(arena, [...forgeries, ...more])).verdict();
  },
};

/** A JWT that says everything Google's would, signed by nobody. */
function unsigned(arena: Arena): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: arena.secret('GOOGLE_PUBSUB_ISSUER'),
    aud: arena.secret('GOOGLE_PUBSUB_AUDIENCE'),
    email: arena.secret('GOOGLE_PUBSUB_EMAIL'),
    email_verified: true,
    iat: Number(nowS()),
    exp: Number(nowS()) + 600,
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.AA`;
}

const altered: Attack = {
  id: 'A3',
  expected: 'a body that was changed by a byte, or written anew: 401',
  async run(arena) {
    const changes: Readonly<Record<string, (body: string) => string | Buffer>> = {
      'one letter': (body) => body.replace('"x"', '"y"').replace('ch_1', 'ch_2'),
      'a space at the end': (body) => `${body} `,
      'a line break at the end': (body) => `${body}\n`,
      'a space in front': (body) => ` ${body}`,
      'written anew, indented': (body) => JSON.stringify(JSON.parse(body), null, 2),
      'members in another order': (body) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body) as object).reverse())),
      'a letter escaped': (body) => body.replace('type', '\\u0074ype'),
      'a member more': (body) => body.replace('{', '{"added":1,'),
      'cut by a byte': (body) => body.slice(0, -1),
      'a mark of byte order': (body) => `\ufeff${body}`,
      'another encoding': (body) => Buffer.from(body, 'utf16le'),
      nothing: () => '',
      'a zero byte': (body) => `${body}\0`,
    };
    const forgeries = Object.entries(changes).flatMap(([name, change]): Forgery[] => {
      const slack = slackDelivery(arena);
      const stripe = stripeDelivery(arena);
      return [
        { name, provider: 'slack', body: change(slack.body), headers: slack.headers },
        { name, provider: 'stripe', body: change(stripe.body), headers: stripe.headers },
      ];
    });
    const trials = await refuseAll(arena, forgeries);
    // So that it is the change that is refused: the same ways of making them, unchanged, are taken.
    const [slack, stripe] = [slackDelivery(arena), stripeDelivery(arena)];
    trials.status('slack unchanged', await deliver(arena.service.url, 'slack', slack.body, slack.headers), 200);
    trials.status('stripe unchanged', await deliver(arena.service.url, 'stripe', stripe.body, stripe.headers), 200);
    return trials.verdict();
  },
};

const times: Attack = {
  id: 'A4',
  expected: 'a timestamp 301 s off, in ms, not a number or missing, though signed: 401',
  async run(arena) {
    const now = Math.floor(Date.now() / 1_000);
    const wrongTimes: Readonly<Record<string, string>> = {
      '-301 s': String(now - 301),
      // What passes while the others are tried brings it nearer.
      '+301 s': String(now + 420),
      'a day ago': String(now - 86_400),
      'in ms': String(Date.now()),
      NaN: 'NaN',
      Infinity: 'Infinity',
      negative: String(-now),
      'with a fraction': `${now}.5`,
      'as a power': '1.7e9',
      hexadecimal: `0x${now.toString(16)}`,
      'with a plus': `+${now}`,
      zero: '0',
      'twenty digits': '9'.repeat(20),
      'a date': new Date().toISOString(),
      'two times': `${now} ${now}`,
    };
    const secret = { slack: arena.secret('SLACK_SIGNING_SECRET'), stripe: stripeSecret(arena) };
    const forgeries = Object.entries(wrongTimes).flatMap(([name, time]): Forgery[] => {
      const [slack, stripe] = [slackBody(), stripeBody()];
      return [
        { name, provider: 'slack', body: slack, headers: slackSignature(secret.slack, slack, time) },
        { name, provider: 'stripe', body: stripe, headers: stripeSignature(secret.stripe, stripe, time) },
      ];
    });
    const [slack, stripe] = [slackDelivery(arena), stripeDelivery(arena)];
    const value = stripe.headers['stripe-signature'] ?? '';
    const more: Forgery[] = [
      { name: 'missing', provider: 'slack', body: slack.body, headers: without(slack.headers, 'x-slack-request-timestamp') },
      { name: 'empty', provider: 'slack', body: slack.body, headers: { ...slack.headers, 'x-slack-request-timestamp': '' } },
      { name: 'twice', provider: 'slack', body: slack.body, headers: { ...slack.headers, 'x-slack-request-timestamp': [nowS(), nowS()] } },
      { name: 'missing', provider: 'stripe', body: stripe.body, headers: { 'stripe-signature': value.replace(/^t=\d+,/, '') } },
      { name: 'empty', provider: 'stripe', body: stripe.body, headers: { 'stripe-signature': value.replace(/^t=\d+/, 't=') } },
      {
        name: 'an old signature with a new time',
        provider: 'stripe',
        body: stripe.body,
        headers: { 'stripe-signature': oldWithNewTime(secret.stripe, stripe.body) },
      },
      { name: 'a second time in front', provider: 'stripe', body: stripe.body, headers: { 'stripe-signature': `t=${nowS()},${value}` } },
    ];
    const trials = await refuseAll(arena, [...forgeries, ...more]);
    for (const [name, shift] of [
      ['-290 s', -290],
      ['+290 s', 290],
    ] as const) {
      const taken = slackDelivery(arena, String(Math.floor(Date.now() / 1_000) + shift));
      trials.status(`${name} is within the bounds`, await deliver(arena.service.url, 'slack', taken.body, taken.headers), 200);
    }
    return trials.verdict();
  },
};

function oldWithNewTime(secret: string, body: string): string {
  const old = stripeSignature(secret, body, String(Number(nowS()) - 3_600))['stripe-signature'] ?? '';
  return old.replace(/^t=\d+/, `t=${nowS()}`);
}

const rolled: Attack = {
  id: 'A7',
  expected: 'the old secret is good during a roll and not after it; of 200 signatures only so many are looked at',
  async run(arena) {
    const trials = new Trials();
    const send = (body: string, headers: Record<string, string>) => deliver(arena.service.url, 'stripe', body, headers);
    const body = stripeBody();
    trials.status('new secret', await send(body, stripeSignature(stripeSecret(arena), body)), 200);
    const during = stripeBody();
    trials.status('old secret during the roll', await send(during, stripeSignature(ROLLED_SECRET, during)), 200);
    const after = stripeBody();
    trials.status('old secret after the roll', await send(after, stripeSignature(RETIRED_SECRET, after)), 401);
    const both = stripeBody();
    trials.status('wrong one and right one', await send(both, many(arena, both, 1)), 200);
    const flood = stripeBody();
    trials.status('the right one as the 200th', await send(flood, many(arena, flood, 199)), 401);
    trials.add('the 200th is not stored', (await stored(arena, (JSON.parse(flood) as { id: string }).id)).length === 0);
    const one = await medianOf(15, () => send(body, { 'stripe-signature': `t=${nowS()},v1=${'0'.repeat(64)}` }));
    const all = await medianOf(15, () => send(body, many(arena, body, 199)));
    // Two hundred HMACs are not computed, nor as many comparisons made.
    trials.add('work is bounded', all < one * 5 + 50, `median ${one.toFixed(1)} ms with 1 signature, ${all.toFixed(1)} ms with 200`);
    return trials.verdict();
  },
};

/** So many wrong signatures, and then the right one. */
function many(arena: Arena, body: string, wrongOnes: number): Record<string, string> {
  const [time = '', right = ''] = (stripeSignature(stripeSecret(arena), body)['stripe-signature'] ?? '').split(',');
  return {
    'stripe-signature': [
      time,
      ...Array.from({ length: wrongOnes }, (_, index) => `v1=${index.toString(16).padStart(64, '0')}`),
      right,
    ].join(','),
  };
}

async function medianOf(times: number, send: () => Promise<{ durationMs: number }>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) took.push((await send()).durationMs);
  return took.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

export const attacks: readonly Attack[] = [none, wrong, altered, times, rolled];
