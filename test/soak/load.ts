import { randomUUID } from 'node:crypto';
import { sleep } from '../faults/lib/waiting';
import type { World } from '../faults/lib/world';
import { productUser, type ProductUser } from '../support/product-user';
import { CountingReceiver } from './receiver';

/** What was done, as far as the outside knows; compared with the service's own rows at the end. */
export class Ledgers {
  readonly acknowledged = new Set<string>();
  readonly sent = new Set<string>();
  /** Texts of messages whose sending was answered as done, and of those whose outcome is not known. */
  readonly posted = new Set<string>();
  readonly unknown = new Set<string>();
  readonly answers = new Map<string, number>();

  count(name: string): void {
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
  }
}

export interface Load {
  readonly ledgers: Ledgers;
  readonly receiver: CountingReceiver;
  readonly slack: { readonly user: ProductUser; readonly connection: string };
  readonly stripe: { readonly user: ProductUser; readonly connection: string };
  /** Begins nothing new; resolves when what was begun has ended. */
  stop(): Promise<void>;
}

export const CUSTOMERS_OF = 'acct_soak';
export const CHANNEL = 'general';

/** By then every process knows of a destination that was made in another. */
const NOTICED_AFTER_MS = 3_500;

/** Everything at once: webhooks in bursts with copies, messages out, actions with keys, records that change, reads. */
export async function startLoad(world: World, { perSecond }: { perSecond: number }): Promise<Load> {
  const { cluster, sandbox } = world;
  const ledgers = new Ledgers();
  const receiver = await CountingReceiver.start();
  const user = await productUser(cluster, { tenant: 'soak', user: 'ada' });
  const operator = await productUser(cluster, { tenant: 'ops', user: 'root', role: 'operator' });
  const connection = await user.connect('slack');
  const owner = await productUser(cluster, { tenant: `tenant-${CUSTOMERS_OF}`, user: `user-${CUSTOMERS_OF}` });
  const stripe = { user: owner, connection: await world.connect(CUSTOMERS_OF) };
  const made = await operator.call('/v1/admin/destinations', {
    body: { url: receiver.url, events: ['webhook.received'], scope: 'all', ordered: true },
  });
  if (made.status !== 201) throw new Error(`No destination: ${made.status} ${JSON.stringify(made.body)}`);
  await sleep(NOTICED_AFTER_MS);

  const stopping = new AbortController();
  const loops: Promise<void>[] = [];
  const every = (ms: number, work: () => Promise<void>) => {
    const loop = async () => {
      while (!stopping.signal.aborted) {
        const began = performance.now();
        await work().catch((error: unknown) =>
          ledgers.count(`failed: ${error instanceof Error ? error.message.slice(0, 80) : String(error)}`),
        );
        await sleep(Math.max(5, ms - (performance.now() - began)));
      }
    };
    loops.push(loop());
  };

  every(1_000, async () => {
    const { eventIds, unacknowledgedIds } = await world.send(perSecond, { copies: 2, concurrency: 16 });
    const open = new Set(unacknowledgedIds);
    for (const id of eventIds) {
      ledgers.sent.add(id);
      if (!open.has(id)) ledgers.acknowledged.add(id);
    }
  });
  every(500, async () => {
    const text = `soak ${randomUUID()}`;
    const key = randomUUID();
    for (let tries = 0; tries < 100; tries++) {
      const answer = await user
        .call(`/v1/connections/${connection}/slack/messages`, {
          body: { channel: CHANNEL, text },
          headers: { 'idempotency-key': key },
          member: tries,
        })
        .catch(() => undefined);
      const code = (answer?.body as { code?: string } | undefined)?.code;
      ledgers.count(`message: ${answer?.status ?? 'no answer'} ${code ?? ''}`.trim());
      if (answer?.status === 201) return void ledgers.posted.add(text);
      if (code === 'outcome_unknown') return void ledgers.unknown.add(text);
      await sleep(300);
    }
    ledgers.unknown.add(text);
  });
  let customers = 0;
  const known: string[] = [];
  every(700, async () => {
    const id = customers > 20 && Math.random() < 0.6 ? known[Math.floor(Math.random() * known.length)] : undefined;
    const name = `Customer ${++customers}`;
    const { id: changed } = sandbox.control.change('stripe', 'customers', {
      account: CUSTOMERS_OF,
      name,
      ...(id !== undefined && { id }),
    }) as { id: string };
    if (id === undefined) known.push(changed);
    return Promise.resolve();
  });
  every(400, async () => {
    const paths = [
      '/v1/connections',
      `/v1/connections/${stripe.connection}/records/customers?limit=50`,
      `/v1/connections/${stripe.connection}/syncs`,
    ];
    const path = paths[customers % paths.length] as string;
    const answer = await owner.call(path, { member: customers }).catch(() => undefined);
    ledgers.count(`read: ${answer?.status ?? 'no answer'}`);
  });

  return {
    ledgers,
    receiver,
    slack: { user, connection },
    stripe,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
