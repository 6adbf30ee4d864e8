import type { GoogleSandbox } from './google/google.server';
import { SeededRandom } from './random';
import type { SandboxContext } from './sandbox-context';
import type { Json, ProviderName } from './sandbox.types';
import type { SlackSandbox } from './slack/slack.server';
import type { StripeSandbox } from './stripe/stripe.server';
import type { StripeAccount } from './stripe/stripe.state';
import type { Delivery } from './webhook-sender';

export type Forge = 'bad-signature' | 'no-signature' | 'old-timestamp' | 'future-timestamp' | 'altered-body';
export const FORGERIES: readonly Forge[] = ['bad-signature', 'no-signature', 'old-timestamp', 'future-timestamp', 'altered-body'];

export interface DeliverSpec {
  provider: ProviderName;
  /** Event type(s); several are used in turn. Google: `calendar.exists`, `calendar.sync` or `gmail.push`. */
  type: string | string[];
  /** Account(s) the events are about; several are used in turn. Default: the first connected one. */
  account?: string | string[];
  /** Slack: fields of the event; Stripe: fields of `data.object`. */
  payload?: Json;
  /** Distinct events (default 1). */
  count?: number;
  /** Deliveries of each (default 1). */
  copies?: number;
  shuffle?: boolean;
  forge?: Forge;
  /** Deliveries in flight at once (default 10). */
  concurrency?: number;
  /** Further tries of what was not answered 2xx (default 0), after `retryMs` (default 200). */
  retries?: number;
  retryMs?: number;
}

export interface DeliverSummary {
  events: number;
  deliveries: number;
  /** Last answer by status; `none` for a connection that ended without one. */
  byStatus: Record<string, number>;
  /** Events of which at least one delivery was answered 2xx. */
  acknowledged: number;
  eventIds: string[];
  unacknowledgedIds: string[];
  durationMs: number;
  p50Ms: number;
  p99Ms: number;
}

export interface SandboxProviders {
  slack: SlackSandbox;
  stripe: StripeSandbox;
  google: GoogleSandbox;
}

/** Sends signed (or forged) webhooks at will and tells what was answered. */
export class Storm {
  constructor(
    private readonly context: SandboxContext,
    private readonly providers: SandboxProviders,
  ) {}

  async run(spec: DeliverSpec): Promise<DeliverSummary> {
    if (spec.forge && !FORGERIES.includes(spec.forge)) throw new Error(`unknown forgery "${spec.forge}"; one of ${FORGERIES.join(', ')}`);
    if (!this.context.sender.hasTarget && spec.provider !== 'google') throw new Error('no webhook target is set');
    const events = this.events(spec);
    const queue = events.flatMap((event) => Array.from({ length: spec.copies ?? 1 }, () => event));
    if (spec.shuffle) new SeededRandom(this.context.seed).shuffle(queue);
    const answers: { id: string; status: number | null; durationMs: number }[] = [];
    const startedAt = this.context.now();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let delivery = queue[next++]; delivery; delivery = queue[next++]) {
        answers.push(await this.insist(delivery, spec));
      }
    };
    await Promise.all(Array.from({ length: Math.min(spec.concurrency ?? 10, queue.length) }, worker));
    return summary(events, answers, this.context.now() - startedAt);
  }

  private async insist(delivery: Delivery, spec: DeliverSpec): Promise<{ id: string; status: number | null; durationMs: number }> {
    for (let attempt = 0; ; attempt++) {
      const { status, durationMs } = await this.context.sender.attempt(delivery, attempt);
      if ((status !== null && status >= 200 && status < 300) || attempt >= (spec.retries ?? 0))
        return { id: delivery.eventId, status, durationMs };
      await new Promise((resolve) => setTimeout(resolve, spec.retryMs ?? 200));
    }
  }

  private events(spec: DeliverSpec): Delivery[] {
    const types = Array.isArray(spec.type) ? spec.type : [spec.type];
    const accounts =
      spec.account === undefined ? [this.firstAccount(spec.provider)] : Array.isArray(spec.account) ? spec.account : [spec.account];
    return Array.from({ length: spec.count ?? 1 }, (_, index) =>
      this.event(
        spec,
        types[index % types.length] as string,
        accounts[Math.floor(index / types.length) % accounts.length] as string,
        index,
      ),
    ).flat();
  }

  private event(spec: DeliverSpec, type: string, account: string, index: number): Delivery[] {
    if (spec.provider === 'slack') return [this.slackEvent(spec, type, account, index)];
    if (spec.provider === 'stripe') return [this.stripeEvent(spec, type, account, index)];
    return this.googleEvents(spec, type, account);
  }

  private slackEvent(spec: DeliverSpec, type: string, account: string, index: number): Delivery {
    const { world } = this.providers.slack;
    if (type === 'url_verification') return world.events.urlVerification(spec.forge);
    const event = { ...world.sampleEvent(world.team(account), type, index), ...spec.payload };
    return world.events.delivery(account, event, spec.forge ? { forge: spec.forge } : {});
  }

  private stripeEvent(spec: DeliverSpec, type: string, accountId: string, index: number): Delivery {
    const { world } = this.providers.stripe;
    const account = world.account(accountId);
    const event = world.events.event(account, type, { ...sampleObject(account, type, index), ...spec.payload });
    return world.events.delivery(account, event, spec.forge);
  }

  private googleEvents(spec: DeliverSpec, type: string, email: string): Delivery[] {
    const { world, push } = this.providers.google;
    const account = world.account(email);
    if (type.startsWith('gmail')) return [push.mailDelivery(account, spec.forge)];
    const state = type.endsWith('sync') ? 'sync' : type.endsWith('not_exists') ? 'not_exists' : 'exists';
    const channels = [...account.channels.values()].filter((channel) => channel.expiration > this.context.now());
    if (channels.length === 0) throw new Error(`${email} has no notification channel; the app has to call events.watch first`);
    return channels.map((channel) => push.notification(account, channel, state, spec.forge));
  }

  private firstAccount(provider: ProviderName): string {
    const fallback = { slack: 'T_ACME', stripe: 'acct_1SandboxAcme', google: 'ada@acme.test' }[provider];
    return this.providers[provider].tokens.activeGrants()[0]?.account ?? fallback;
  }
}

function sampleObject(account: StripeAccount, type: string, index: number): Json {
  const { customers, subscriptions, invoices, payment_intents: intents, products, prices } = account.collections;
  const [collection, kind] = type.startsWith('customer.subscription')
    ? [subscriptions, 'subscription']
    : type.startsWith('customer')
      ? [customers, 'customer']
      : type.startsWith('invoice')
        ? [invoices, 'invoice']
        : type.startsWith('payment_intent')
          ? [intents, 'payment_intent']
          : type.startsWith('product')
            ? [products, 'product']
            : type.startsWith('price')
              ? [prices, 'price']
              : [null, type.split('.')[0] ?? 'object'];
  const id = collection?.order[index % Math.max(1, collection.order.length)];
  return structuredClone((id && collection?.byId.get(id)) || { id: `${kind.slice(0, 2)}_sample${index}`, object: kind });
}

function summary(
  events: Delivery[],
  answers: { id: string; status: number | null; durationMs: number }[],
  durationMs: number,
): DeliverSummary {
  const byStatus: Record<string, number> = {};
  const good = new Set<string>();
  for (const { id, status } of answers) {
    const key = status === null ? 'none' : String(status);
    byStatus[key] = (byStatus[key] ?? 0) + 1;
    if (status !== null && status >= 200 && status < 300) good.add(id);
  }
  const times = answers.map((answer) => answer.durationMs).sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const eventIds = events.map((event) => event.eventId);
  return {
    events: events.length,
    deliveries: answers.length,
    byStatus,
    acknowledged: good.size,
    eventIds,
    unacknowledgedIds: eventIds.filter((id) => !good.has(id)),
    durationMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
