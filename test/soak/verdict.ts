import { compareSets, inWords, isEqual, setOf, storedSet } from '../faults/lib/remote-sets';
import { SINK_TABLE } from '../faults/lib/sink-table';
import type { World } from '../faults/lib/world';
import { CHANNEL, CUSTOMERS_OF, type Load } from './load';
import { median, type Sample } from './samples';

export interface Check {
  readonly name: string;
  readonly target: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** Every ledger from outside against the service's own rows. The service runs, and nothing waits any more. */
export async function compareLedgers(world: World, load: Load): Promise<Check[]> {
  const { ledgers, receiver } = load;
  const effects =
    (await world.ask<{ event_id: string; n: number }>(
      `SELECT event_id, count(*)::int AS n FROM ${SINK_TABLE} WHERE kind = 'effect' GROUP BY event_id`,
    )) ?? [];
  const applied = new Map(effects.map(({ event_id, n }) => [event_id, n]));
  const lost = [...ledgers.acknowledged].filter((id) => !applied.has(id)).length;
  const twice = effects.filter(({ n }) => n > 1).length;
  const [messages] = (await world.ask<{ all: number; left: number }>(
    `SELECT count(*)::int AS all, (count(*) FILTER (WHERE status <> 'delivered'))::int AS left FROM deliveries`,
  )) ?? [{ all: -1, left: -1 }];
  const remote = await customersOf(world);
  const stored = await storedSet(load.stripe.user, load.stripe.connection, 'customers');
  const records = compareSets(remote, stored);
  const posts = await textsIn(world, CHANNEL);
  const missing = [...ledgers.posted].filter((text) => !posts.has(text)).length;
  const doubled = [...posts].filter(([text, n]) => text.startsWith('soak ') && n > 1).length;
  return [
    {
      name: 'events',
      target: '0 lost, 0 twice of those acknowledged',
      seen: `${ledgers.sent.size} sent (each twice), ${ledgers.acknowledged.size} acknowledged, ${applied.size} applied, ${lost} lost, ${twice} twice`,
      ok: ledgers.acknowledged.size > 0 && lost === 0 && twice === 0,
    },
    {
      name: 'messages to the product',
      target: 'one for each event that was applied, each taken at least once, by one id',
      seen: `${messages?.all} stored, ${messages?.left} not delivered, ${receiver.ids.size} ids received, ${[...receiver.ids.values()].filter((n) => n > 1).length} of them more than once`,
      ok: messages?.left === 0 && receiver.ids.size === messages.all && messages.all === applied.size,
    },
    {
      name: 'actions under a key',
      target: 'what was answered as done is done, once',
      seen: `${ledgers.posted.size} done, ${ledgers.unknown.size} of unknown outcome, ${missing} missing, ${doubled} twice`,
      ok: ledgers.posted.size > 0 && missing === 0 && doubled === 0,
    },
    { name: 'records', target: 'as at the provider', seen: inWords(records, remote), ok: remote.size > 0 && isEqual(records) },
  ];
}

/** The end against the beginning: what grows with the time grows for ever. */
export function compareTimes(samples: readonly Sample[]): Check[] {
  const part = (from: number, to: number) => samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to));
  const [early, late] = [part(0.15, 0.35), part(0.8, 1)];
  const flat = (name: 'memory' | 'handles' | 'connections', most: (early: number) => number, unit: string): Check => {
    const [before, after] = [median(early.map((each) => each[name])), median(late.map((each) => each[name]))];
    return {
      name,
      target: `at most ${Math.round(most(before))} at the end`,
      seen: `${before}${unit} at first, ${after}${unit} at the end`,
      ok: after <= most(before),
    };
  };
  return [
    flat('memory', (early) => early * 1.25 + 32, ' MiB'),
    flat('handles', (early) => early * 1.25 + 16, ''),
    flat('connections', (early) => early * 1.25 + 8, ''),
  ];
}

async function customersOf({ sandbox }: World) {
  const { access_token: token } = sandbox.control.mint({ provider: 'stripe', account: CUSTOMERS_OF }) as { access_token: string };
  const found: { id: string }[] = [];
  for (let after = ''; ;) {
    const answer = await fetch(`${sandbox.urls.stripe}/v1/customers?limit=100${after && `&starting_after=${after}`}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page = (await answer.json()) as { data: { id: string }[]; has_more: boolean };
    found.push(...page.data);
    after = page.data.at(-1)?.id ?? '';
    if (!page.has_more || after === '') return setOf(found);
  }
}

/** How often each text stands in a channel. */
async function textsIn({ sandbox }: World, name: string): Promise<Map<string, number>> {
  const { access_token: token } = sandbox.control.mint({ provider: 'slack', scopes: ['channels:read', 'channels:history'] }) as {
    access_token: string;
  };
  const ask = async <T>(method: string, params: Record<string, string>): Promise<T> => {
    const answer = await fetch(`${sandbox.urls.slack}/api/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams(params),
    });
    return (await answer.json()) as T;
  };
  const { channels } = await ask<{ channels: { id: string; name: string }[] }>('conversations.list', { limit: '200' });
  const channel = channels.find((each) => each.name === name)?.id ?? '';
  const texts = new Map<string, number>();
  for (let cursor = ''; ;) {
    const page = await ask<{ messages?: { text: string }[]; response_metadata?: { next_cursor?: string } }>('conversations.history', {
      channel,
      limit: '200',
      ...(cursor && { cursor }),
    });
    for (const { text } of page.messages ?? []) texts.set(text, (texts.get(text) ?? 0) + 1);
    cursor = page.response_metadata?.next_cursor ?? '';
    if (cursor === '') return texts;
  }
}
