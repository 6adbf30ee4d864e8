import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HttpReceiver } from '../../src/integrations/notifications/testing/http-receiver';
import { atEnd } from '../faults/lib/clean-up';
import { until } from '../faults/lib/waiting';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import {
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
} from './lib/delivery';
import { Trials } from './lib/trials';

const COPIES = 10;
const ACCOUNT = 'acct_1SandboxAcme';

const exact: Attack = {
  id: 'A5',
  expected: 'an exact replay, ten times, at once and one by one: 2xx each time, one row, one effect',
  async run(arena) {
    const trials = new Trials();
    await arena.connect('stripe', { tenant: 'acme', user: 'ada' });
    const receiver = await HttpReceiver.start();
    atEnd(() => receiver.close());
    const made = await arena.service.as({ role: 'admin', user: 'root' }, '/v1/admin/destinations', {
      body: { url: arena.outside(receiver.url('/effects')), events: ['webhook.received'] },
    });
    trials.status('the effect can be watched', made, 201);
    for (const way of ['at once', 'one by one'] as const) {
      const { eventId, body, headers } = stripeDelivery(
        arena,
        nowS(),
        stripeBody(`evt_${randomUUID()}`, ACCOUNT, payment(), 'payment_intent.succeeded'),
      );
      const send = () => deliver(arena.service.url, 'stripe', body, headers);
      if (way === 'at once') for (const answer of await Promise.all(Array.from({ length: COPIES }, send))) trials.status(way, answer, 200);
      else for (let i = 0; i < COPIES; i++) trials.status(way, await send(), 200);
      await until(async () => (await stored(arena, eventId))[0]?.status === 'completed', 60_000);
      await until(() => effects(receiver, eventId) > 0, 60_000);
      const late = await send();
      trials.status(`${way}, once more after it was worked on`, late, 200);
      const rows = await stored(arena, eventId);
      trials.add(
        `${way}: one row, worked on once`,
        rows.length === 1 && rows[0]?.status === 'completed' && rows[0].attempts === 1,
        `${rows.length} row ${rows[0]?.status}, ${rows[0]?.attempts} attempt`,
      );
      trials.add(`${way}: one effect`, effects(receiver, eventId) === 1, `${effects(receiver, eventId)} effect`);
    }
    return trials.verdict();
  },
};

function payment(): object {
  return { id: `pi_${randomUUID()}`, object: 'payment_intent', amount_received: 100, currency: 'eur' };
}

/** Different messages that went out for the event. */
function effects(receiver: HttpReceiver, eventId: string): number {
  return new Set(
    receiver
      .at('/effects')
      .filter(({ body }) => body.includes(eventId))
      .map(({ headers }) => headers['webhook-id']),
  ).size;
}

const renamed: Attack = {
  id: 'A6',
  expected: 'a replay under a new event id with the old signature: 401, nothing stored',
  async run(arena) {
    const trials = new Trials();
    const slack = slackDelivery(arena);
    const stripe = stripeDelivery(arena);
    trials.status('slack, the original', await deliver(arena.service.url, 'slack', slack.body, slack.headers), 200);
    trials.status('stripe, the original', await deliver(arena.service.url, 'stripe', stripe.body, stripe.headers), 200);
    const ids = { slack: `Ev${randomUUID()}`, stripe: `evt_${randomUUID()}` };
    const again = {
      slack: slack.body.replace(slack.eventId, ids.slack),
      stripe: stripe.body.replace(stripe.eventId, ids.stripe),
    };
    const newer = String(Number(nowS()) + 1);
    const variants: readonly [string, 'slack' | 'stripe', string, Record<string, string>][] = [
      ['new id', 'slack', again.slack, slack.headers],
      ['new id and time', 'slack', again.slack, { ...slack.headers, 'x-slack-request-timestamp': newer }],
      ['new id', 'stripe', again.stripe, stripe.headers],
      [
        'new id and time',
        'stripe',
        again.stripe,
        { ...stripe.headers, 'stripe-signature': (stripe.headers['stripe-signature'] ?? '').replace(/^t=\d+/, `t=${newer}`) },
      ],
      [
        'the signature of another event',
        'stripe',
        again.stripe,
        { 'stripe-signature': stripeDelivery(arena).headers['stripe-signature'] ?? '' },
      ],
      // The id is given twice: what was signed is not what is read.
      ['a second id in the body', 'slack', slack.body.replace(/}$/, `,"event_id":"${ids.slack}"}`), slack.headers],
      ['retry headers', 'slack', again.slack, { ...slack.headers, 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'timeout' }],
    ].map(
      ([name, provider, body, headers]) => [name, provider, body, headers] as [string, 'slack' | 'stripe', string, Record<string, string>],
    );
    for (const [name, provider, body, headers] of variants)
      trials.status(`${provider} ${name}`, await deliver(arena.service.url, provider, body, headers), 401);
    for (const id of Object.values(ids)) trials.add('not stored', (await stored(arena, id)).length === 0, 'no row');
    return trials.verdict();
  },
};

interface Channel {
  readonly id: string;
  readonly token: string;
  readonly resourceId: string;
}

const foreign: Attack = {
  id: 'A8',
  expected: 'what is validly signed for another tenant or provider: refused',
  async run(arena) {
    const trials = new Trials();
    const origin = arena.service.url;
    const slack = slackBody();
    const stripe = stripeBody();
    const crossed: readonly [string, string, string, Record<string, string>][] = [
      ['Slack’s delivery at Stripe’s address', 'stripe', slack, slackSignature(arena.secret('SLACK_SIGNING_SECRET'), slack)],
      ['Stripe’s delivery at Slack’s address', 'slack', stripe, stripeSignature(stripeSecret(arena), stripe)],
      ['Slack’s form with Stripe’s secret', 'slack', slack, slackSignature(stripeSecret(arena), slack)],
      ['Stripe’s form with Slack’s secret', 'stripe', stripe, stripeSignature(arena.secret('SLACK_SIGNING_SECRET'), stripe)],
      ['Stripe’s form with the secret API key', 'stripe', stripe, stripeSignature(arena.secret('STRIPE_SECRET_KEY'), stripe)],
      ['Slack’s delivery at Google’s address', 'google', slack, slackSignature(arena.secret('SLACK_SIGNING_SECRET'), slack)],
      ['our own token at Google’s address', 'google', '{}', { authorization: `Bearer ${await arena.service.token({ role: 'operator' })}` }],
    ];
    for (const [name, provider, body, headers] of crossed) trials.status(name, await deliver(origin, provider, body, headers), 401);

    const channels = await googleChannels(arena);
    if (!channels) trials.note('channels of two tenants: not tried, none were opened in time');
    else {
      const [mine, theirs] = channels;
      const notify = (channel: Partial<Channel>, state = 'exists') =>
        deliver(origin, 'google', '', {
          'x-goog-channel-id': channel.id ?? '',
          'x-goog-channel-token': channel.token ?? '',
          'x-goog-resource-id': channel.resourceId ?? '',
          'x-goog-resource-state': state,
          'x-goog-message-number': String(Math.floor(Math.random() * 1e9)),
        });
      trials.status('a channel of one’s own', await notify(mine), 200);
      trials.status('another tenant’s channel with one’s own token', await notify({ ...theirs, token: mine.token }), 401);
      trials.status('one’s own channel for another’s calendar', await notify({ ...mine, resourceId: theirs.resourceId }), 401);
      trials.status('another tenant’s channel, all else one’s own', await notify({ ...mine, id: theirs.id }), 401);
    }
    return trials.verdict();
  },
};

/** Channels that two tenants opened for their calendars, with the tokens that only the service and Google know. */
async function googleChannels(arena: Arena): Promise<[Channel, Channel] | undefined> {
  const emails = ['mine@attack.test', 'theirs@attack.test'];
  for (const [index, email] of emails.entries()) await arena.connect('google', { tenant: `channel-${index}` }, email);
  let found: Channel[] = [];
  await until(
    async () => {
      const state = await readFile(arena.stateFile, 'utf8').catch(() => '');
      found = emails.flatMap((email) => firstChannel(state, email));
      return found.length === 2;
    },
    60_000,
    500,
  );
  return found.length === 2 ? [found[0] as Channel, found[1] as Channel] : undefined;
}

/** The sandbox’s state as it is saved: maps are lists of pairs there, wherever they stand. */
function firstChannel(state: string, email: string): Channel[] {
  const found: Channel[] = [];
  const walk = (value: unknown, inside: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    const one = value as { email?: unknown; address?: unknown; token?: unknown; id?: unknown; resourceId?: unknown };
    const here = inside || one.email === email;
    if (
      here &&
      typeof one.address === 'string' &&
      typeof one.token === 'string' &&
      typeof one.id === 'string' &&
      typeof one.resourceId === 'string'
    )
      found.push({ id: one.id, token: one.token, resourceId: one.resourceId });
    for (const each of Object.values(value)) walk(each, here);
  };
  walk(state === '' ? undefined : JSON.parse(state), false);
  return found.slice(0, 1);
}

export const attacks: readonly Attack[] = [exact, renamed, foreign];
