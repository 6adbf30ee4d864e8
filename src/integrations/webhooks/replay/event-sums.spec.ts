import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import { DEAD_EVENTS, failingHandlers, FOUND_AT_MOST } from '../findings';
import { EventSums } from './event-sums';

let harness: WebhookHarness;
let sums: EventSums;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [] });
  sums = harness.module.get(EventSums, { strict: false });
});
afterAll(() => harness.close());
beforeEach(() => harness.rows('DELETE FROM webhook_events'));

interface Some {
  readonly count: number;
  readonly type: string;
  readonly status: 'received' | 'failed' | 'dead';
  readonly tenant: string | null;
  readonly minutesAgo: number;
}
/** As many events of a kind; those that are not merely received have failed in their handler. */
const add = ({ count, type, status, tenant, minutesAgo }: Some) =>
  harness.rows(
    `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, tenant, status, attempts, next_attempt_at, received_at, last_error, error_code)
     SELECT gen_random_uuid(), gen_random_uuid(), 'testp', $2::text || $3::text || coalesce($4::text, '') || n, $2::text, $4::text, $3::text, CASE WHEN $3::text = 'received' THEN 0 ELSE 2 END,
       now() - $5::int * interval '1 minute', now() - $5::int * interval '1 minute', CASE WHEN $3::text <> 'received' THEN 'no order ' || n END,
       CASE WHEN $3::text <> 'received' THEN 'webhook_handler_failed' END FROM generate_series(1, $1::int) n`,
    [count, type, status, tenant, minutesAgo],
  );

it('is exact where there are few, of everybody, of one, and of nobody', async () => {
  expect(await sums.queue()).toEqual({ depth: 0, oldestAgeSeconds: null, inFlight: 0, retrying: 0, dead: 0, atLeast: [] });
  await add({ count: 3, type: 'a', status: 'received', tenant: 'acme', minutesAgo: 10 });
  await add({ count: 2, type: 'a', status: 'failed', tenant: 'globex', minutesAgo: 20 });
  await add({ count: 4, type: 'b', status: 'dead', tenant: null, minutesAgo: 30 });
  const { oldestAgeSeconds, ...all } = await sums.queue();
  expect(all).toEqual({ depth: 5, inFlight: 0, retrying: 2, dead: 4, atLeast: [] });
  expect(oldestAgeSeconds).toBeGreaterThanOrEqual(20 * 60);
  const acme = await sums.queue('acme');
  expect(acme).toMatchObject({ depth: 3, retrying: 0, dead: 0, atLeast: [] });
  expect(acme.oldestAgeSeconds).toBeLessThan(15 * 60);
  expect(await sums.failing('acme')).toEqual([]);
  expect(await sums.failing('globex')).toMatchObject([{ provider: 'testp', retrying: 2, dead: 0, tenants: 1, atLeast: [] }]);
  expect(await sums.failing()).toMatchObject([{ provider: 'testp', retrying: 2, dead: 4, tenants: 1, atLeast: [] }]);
  expect(await sums.failedGroups('globex', 10)).toMatchObject([{ type: 'a', error: 'no order #', retrying: 2, dead: 0, atLeast: [] }]);
  expect(await sums.failedGroups(undefined, 10)).toMatchObject([
    { type: 'b', dead: 4, retrying: 0, atLeast: [] },
    { type: 'a', dead: 0, retrying: 2, atLeast: [] },
  ]);
});

it('counts up to a bound and says so, and misses no kind beside one of which there are many', async () => {
  await add({ count: 12, type: 'seldom', status: 'failed', tenant: 'acme', minutesAgo: 600 });
  await add({ count: 3, type: 'seldom', status: 'dead', tenant: 'acme', minutesAgo: 700 });
  await add({ count: 5_500, type: 'often', status: 'failed', tenant: 'globex', minutesAgo: 1 });
  await add({ count: 4_000, type: 'often', status: 'dead', tenant: 'globex', minutesAgo: 1 });
  expect(await sums.queue()).toMatchObject({ depth: 5_000, retrying: 5_000, dead: 4_003, atLeast: ['depth', 'retrying'] });
  expect((await sums.queue()).oldestAgeSeconds).toBeGreaterThanOrEqual(600 * 60);
  expect(await sums.queue('acme')).toMatchObject({ depth: 12, retrying: 12, dead: 3, atLeast: [] });
  const [failing] = await sums.failing();
  expect(failing).toMatchObject({ tenants: 2, atLeast: ['dead', 'retrying', 'tenants', 'connections'] });
  expect(Date.now() - (failing?.since.getTime() ?? 0)).toBeGreaterThanOrEqual(700 * 60_000);
  expect(await sums.failing('acme')).toMatchObject([{ retrying: 12, dead: 3, atLeast: [] }]);
  const groups = await sums.failedGroups(undefined, 10);
  expect(groups.map(({ type, atLeast }) => [type, atLeast.length > 0])).toEqual([
    ['often', true],
    ['seldom', false],
  ]);
  expect(groups[1]).toMatchObject({ retrying: 12, dead: 3 });
});

it('lets alerts find every kind and organization that failed, and count no further than their words say', async () => {
  await add({ count: 10, type: 'seldom', status: 'failed', tenant: 'acme', minutesAgo: 600 });
  await add({ count: 9, type: 'too-few', status: 'failed', tenant: 'acme', minutesAgo: 600 });
  await add({ count: 1_000, type: 'often', status: 'failed', tenant: 'globex', minutesAgo: 1 });
  await add({ count: 1, type: 'seldom', status: 'dead', tenant: 'acme', minutesAgo: 600 });
  await add({ count: 2, type: 'seldom', status: 'dead', tenant: null, minutesAgo: 600 });
  await add({ count: 1_000, type: 'often', status: 'dead', tenant: 'globex', minutesAgo: 1 });
  const found = (sql: string) =>
    harness.rows<{ key: string; tenant: string | null; count: number }>(`SELECT * FROM (${sql}) f ORDER BY key`);
  expect(await found(failingHandlers(10))).toMatchObject([
    { key: 'handlers_failing:testp:often', count: FOUND_AT_MOST },
    { key: 'handlers_failing:testp:seldom', count: 10 },
  ]);
  expect(await found(DEAD_EVENTS)).toMatchObject([
    { key: 'dead_letters:testp', tenant: null, count: 2, about: 'seldom' },
    { key: 'dead_letters:testp:tenant:acme', tenant: 'acme', count: 1 },
    { key: 'dead_letters:testp:tenant:globex', tenant: 'globex', count: FOUND_AT_MOST },
  ]);
});
