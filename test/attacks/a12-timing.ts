import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { deliver, nowS, slackDelivery, stripeBody, stripeSecret, stripeSignature } from './lib/delivery';
import { ask } from './lib/request';
import { Trials } from './lib/trials';

const SAMPLES = 120;
const ROUNDS = 3;

type Probe = () => Promise<{ durationMs: number }>;

/** Two requests that differ in how nearly right they are: if that could be told from the time, a secret could be guessed digit by digit. */
const timing: Attack = {
  id: 'A12',
  expected: 'the time of a refusal says nothing of how nearly right a signature or key was',
  boundS: 300,
  async run(arena) {
    const trials = new Trials();
    for (const [name, near, far] of await pairs(arena)) {
      const { holds, seen } = await compare(near, far);
      trials.add(name, holds, `${name}: ${seen}`);
    }
    trials.note('lower quartiles of interleaved samples; apart at most 25 % or 1.5 ms in one of three rounds');
    return trials.verdict();
  },
};

async function pairs(arena: Arena): Promise<[string, Probe, Probe][]> {
  const { url } = arena.service;
  const slack = slackDelivery(arena);
  const slackHex = slack.headers['x-slack-signature'] ?? '';
  const body = stripeBody();
  const stripe = stripeSignature(stripeSecret(arena), body)['stripe-signature'] ?? '';
  const token = await arena.service.token();
  const bearer = (value: string, host: number): Probe => {
    let turn = 0;
    // Refused tokens are bounded by address: several of this machine's own.
    return () =>
      ask(url, '/v1/connections', { headers: { authorization: `Bearer ${value}` }, from: loopback(host + Math.floor(turn++ / 90)) });
  };
  const slackProbe =
    (signature: string): Probe =>
    () =>
      deliver(url, 'slack', slack.body, { ...slack.headers, 'x-slack-signature': signature });
  const stripeProbe =
    (signature: string): Probe =>
    () =>
      deliver(url, 'stripe', body, { 'stripe-signature': signature });
  const list: [string, Probe, Probe][] = [
    ['Slack, last digit against first digit wrong', slackProbe(changed(slackHex, -1)), slackProbe(changed(slackHex, 3))],
    [
      'Stripe, last digit against first digit wrong',
      stripeProbe(changed(stripe, -1)),
      stripeProbe(changed(stripe, stripe.indexOf('v1=') + 3)),
    ],
    ['Google, a token of right against wrong length', channelProbe(arena, 'x'.repeat(43)), channelProbe(arena, 'x')],
  ];
  if (process.platform === 'linux') {
    const dot = token.lastIndexOf('.');
    // The last digit of base64 holds bits that are not used: the one before it.
    list.push([
      'a token, end against beginning of the signature wrong',
      bearer(changed(token, -3), 20),
      bearer(changed(token, dot + 1), 40),
    ]);
  }
  return list;
}

function channelProbe(arena: Arena, token: string): Probe {
  return () =>
    deliver(arena.service.url, 'google', '', {
      'x-goog-channel-id': `c${nowS()}`,
      'x-goog-channel-token': token,
      'x-goog-resource-id': 'r',
      'x-goog-resource-state': 'exists',
      'x-goog-message-number': '1',
    });
}

/** A real difference would show in every round; the machine's own noise does not. */
async function compare(near: Probe, far: Probe): Promise<{ holds: boolean; seen: string }> {
  let seen = '';
  for (let round = 1; round <= ROUNDS; round++) {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < SAMPLES; i++) {
      // In turn, and the order of the turn in turn.
      const order = i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
      for (const which of order) times[which].push((await (which === 0 ? near : far)()).durationMs);
    }
    const [a, b] = [quartile(times[0]), quartile(times[1])];
    seen = `${a.toFixed(2)} and ${b.toFixed(2)} ms`;
    if (Math.abs(a - b) <= Math.max(1.5, Math.min(a, b) * 0.25)) return { holds: true, seen };
  }
  return { holds: false, seen };
}

function quartile(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0;
}

function changed(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (text[index] === 'a' ? 'b' : 'a') + text.slice(index + 1);
}

function loopback(host: number): string {
  return `127.0.0.${host}`;
}

export const attacks: readonly Attack[] = [timing];
