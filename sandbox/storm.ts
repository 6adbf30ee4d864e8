import { SeededRandom } from './random';
import type { RunningProvider } from './sandbox-provider';
import { type Forge, FORGERIES, type Json, type ProviderName } from './sandbox.types';
import type { Delivery, WebhookSender } from './webhook-sender';

export interface DeliverSpec {
  provider: ProviderName;
  /** Event type(s); several are used in turn. */
  type: string | string[];
  /** Account(s) the events are about; several are used in turn. Default: the first connected one. */
  account?: string | string[];
  /** Fields of what the event is about, as the provider sends them. */
  payload?: Json;
  /** Other accounts that see the same thing, where the provider has such: Slack's shared channels. The delivery names the first only. */
  sharedWith?: readonly string[];
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

/** Sends signed (or forged) webhooks at will and tells what was answered. */
export class Storm {
  constructor(
    private readonly sender: WebhookSender,
    private readonly now: () => number,
    private readonly seed: number,
  ) {}

  /** @throws Error with a sentence where nothing can be sent */
  async run(spec: DeliverSpec, provider: RunningProvider, defaultAccount: string): Promise<DeliverSummary> {
    if (spec.forge && !FORGERIES.includes(spec.forge)) throw new Error(`unknown forgery "${spec.forge}"; one of ${FORGERIES.join(', ')}`);
    const events = eventsOf(spec, provider, defaultAccount);
    if (!this.sender.hasTarget && events.some((event) => event.url === undefined)) throw new Error('no webhook target is set');
    const queue = events.flatMap((event) => Array.from({ length: spec.copies ?? 1 }, () => event));
    if (spec.shuffle) new SeededRandom(this.seed).shuffle(queue);
    const answers: { id: string; status: number | null; durationMs: number }[] = [];
    const startedAt = this.now();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let delivery = queue[next++]; delivery; delivery = queue[next++]) {
        answers.push(await this.insist(delivery, spec));
      }
    };
    await Promise.all(Array.from({ length: Math.min(spec.concurrency ?? 10, queue.length) }, worker));
    return summary(events, answers, this.now() - startedAt);
  }

  private async insist(delivery: Delivery, spec: DeliverSpec): Promise<{ id: string; status: number | null; durationMs: number }> {
    for (let attempt = 0; ; attempt++) {
      const { status, durationMs } = await this.sender.attempt(delivery, attempt);
      if ((status !== null && status >= 200 && status < 300) || attempt >= (spec.retries ?? 0))
        return { id: delivery.eventId, status, durationMs };
      await new Promise((resolve) => setTimeout(resolve, spec.retryMs ?? 200));
    }
  }
}

function eventsOf(
  { type, account, count = 1, payload, sharedWith, forge }: DeliverSpec,
  provider: RunningProvider,
  defaultAccount: string,
): Delivery[] {
  const types = [type].flat();
  const accounts = [account ?? provider.tokens.activeGrants()[0]?.account ?? defaultAccount].flat();
  return Array.from({ length: count }, (_, index) =>
    provider.deliver({
      type: types[index % types.length] as string,
      account: accounts[Math.floor(index / types.length) % accounts.length] as string,
      index,
      ...(payload && { payload }),
      ...(sharedWith && { sharedWith }),
      ...(forge && { forge }),
    }),
  ).flat();
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
