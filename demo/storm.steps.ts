import { ACCOUNTS } from './connect.steps';
import { until } from './http-client';
import type { Report } from './report';
import { readRecords, type World } from './world';

interface Storm {
  readonly events: number;
  readonly deliveries: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly eventIds: readonly string[];
}

interface EventPage {
  readonly data: readonly { readonly eventId: string; readonly status: string }[];
  readonly nextCursor: string | null;
}

const EVENTS = 200;
const COPIES = 3;

function answeredBy(storm: Storm): string {
  return Object.entries(storm.byStatus)
    .map(([status, count]) => `${count} deliveries answered ${status}`)
    .join(', ');
}

/** Webhooks as they really come: several times, out of order, and from people who are not the provider. */
export async function stormSteps(world: World, report: Report): Promise<void> {
  const deliver = (spec: Record<string, unknown>) => world.control.post('/deliver', { concurrency: 32, ...spec }) as Promise<Storm>;
  const stored = async (eventIds: readonly string[]) => {
    const wanted = new Set(eventIds);
    const rows: { eventId: string; status: string }[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 1_000, ...(cursor !== undefined && { cursor }) };
      const page: EventPage = await world.admin.get('/v1/admin/webhook-events', { params: { query } });
      rows.push(...page.data.filter((row) => wanted.has(row.eventId)));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return rows;
  };

  for (const [provider, type] of [
    ['stripe', 'customer.updated'],
    ['slack', 'message'],
  ] as const) {
    const expected = `${EVENTS * COPIES} deliveries answered 200; ${EVENTS} events stored once, ${EVENTS} completed`;
    await report.step(`a storm of ${provider} webhooks, each ${COPIES} times, shuffled`, expected, async () => {
      const storm = await deliver({
        provider,
        type,
        account: ACCOUNTS[provider],
        count: EVENTS,
        copies: COPIES,
        shuffle: true,
        retries: 5,
      });
      const rows = await until(
        () => stored(storm.eventIds),
        (found) => found.length >= EVENTS && found.every((row) => row.status === 'completed'),
        60_000,
      );
      const completed = rows.filter((row) => row.status === 'completed').length;
      return `${answeredBy(storm)}; ${rows.length} events stored once, ${completed} completed`;
    });
  }

  for (const forge of ['bad-signature', 'no-signature', 'old-timestamp', 'altered-body']) {
    await report.step(`forged webhooks: ${forge}`, '20 answered 401; 0 stored', async () => {
      const storm = await deliver({
        provider: 'stripe',
        type: 'customer.updated',
        account: ACCOUNTS.stripe,
        count: 20,
        copies: 1,
        forge,
        retries: 0,
      });
      return `${storm.byStatus['401'] ?? 0} answered 401; ${(await stored(storm.eventIds)).length} stored`;
    });
  }

  await report.step('a customer renamed at Stripe reaches the records by webhook', 'renamed', async () => {
    const [customer] = await readRecords(world, 'stripe', 'customers');
    await world.control.post('/stripe/customers', { account: ACCOUNTS.stripe, id: customer?.id, name: 'Renamed by the demo' });
    const renamed = await until(
      () => readRecords(world, 'stripe', 'customers').then((records) => records.some((record) => record.name === 'Renamed by the demo')),
      Boolean,
      20_000,
    );
    return renamed ? 'renamed' : 'unchanged';
  });
}
