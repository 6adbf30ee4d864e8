import { randomUUID } from 'node:crypto';
import { AuditLog } from '../audit';
import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { AlertEvaluator } from '../monitoring/alert-evaluator';
import { AlertService } from '../monitoring/alert.service';
import { ProviderRegistry } from '../providers/provider-registry';
import { ProcessPresence } from '../jobs';
import { verifyStandardWebhook } from '../providers/signatures/standard.scheme';
import { GRACE_MS } from './delivery-jobs';
import { DELIVERY_DEFAULTS } from './delivery-options';
import { HANGS, HttpReceiver } from './testing/http-receiver';
import { deliveryOf, eventOf, NotificationProcess, StillClock, testBox } from './testing/notification-process';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let receiver: HttpReceiver;
let clock: StillClock;
let process: NotificationProcess;
const box = testBox();

beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  receiver = await HttpReceiver.start();
});
afterAll(async () => {
  await receiver.close();
  await database.close();
});
beforeEach(async () => {
  receiver.reset();
  for (const table of ['outbox_payloads', 'outbox', 'record_change_batches', 'destinations', 'alerts'])
    await database.dataSource.query(`DELETE FROM ${table}`);
  clock = new StillClock();
  process = new NotificationProcess(database, { clock, box, options: { timeoutMs: 3_000 } });
});
afterEach(() => process.close());

/** A lease of the process with this sign. */
const signed = (sign: string) => new ProcessPresence({ sign, alive: () => Promise.resolve([sign]) }, clock).newLease();
const rows = <T = Record<string, unknown>>(sql: string, params: unknown[] = []): Promise<T[]> => database.dataSource.query(sql, params);
/** What waits for a later time is due now. */
const later = async () => {
  await rows(`UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending'`);
  await rows('UPDATE destinations SET retry_at = NULL');
};
const secretsOf = (...made: { secret: string }[]) => made.map(({ secret }) => secret);

jest.setTimeout(60_000);

it('tells a destination what happened, signed so that a receiver can verify it', async () => {
  const made = await process.destination(receiver.url('/a'));
  await process.happens({ data: { runId: 'r1' }, connectionId: '0197a000-0000-7000-8000-000000000001' });
  await process.deliver();
  const [got] = receiver.at('/a');
  expect(got && verifyStandardWebhook(deliveryOf(got, clock.now()), secretsOf(made))).toEqual({ ok: true });
  expect(got && verifyStandardWebhook(deliveryOf(got, clock.now()), ['whsec_AAAA'])).toMatchObject({ ok: false });
  expect(JSON.parse(got?.body.toString() ?? '')).toEqual({
    type: 'sync.completed',
    timestamp: '2026-01-10T12:00:00.000Z',
    tenant: 'acme',
    data: { provider: 'p', connectionId: '0197a000-0000-7000-8000-000000000001', runId: 'r1' },
  });
  expect(await process.deliveries.list({ tenant: 'acme', limit: 10 })).toMatchObject([
    { status: 'delivered', attempts: 1, responseStatus: 200 },
  ]);
});

it('tries again with the same id and body until it is taken, and logs every try', async () => {
  await process.destination(receiver.url('/a'));
  receiver.answers.set('/a', [500, 302, 204]);
  await process.happens();
  await process.deliver();
  expect(await process.deliveries.list({ limit: 10 })).toMatchObject([{ status: 'pending', error: 'http_500' }]);
  await process.deliver(); // not yet due
  expect(receiver.at('/a')).toHaveLength(1);
  for (let i = 0; i < 2; i++) {
    await later();
    clock.advance(10_000);
    await process.deliver();
  }
  const got = receiver.at('/a');
  expect(got).toHaveLength(3);
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(got.map(({ body }) => body.toString())).size).toBe(1);
  expect(new Set(got.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3); // signed anew: a receiver refuses what is old
  const [delivery] = await process.deliveries.list({ limit: 1 });
  expect(await process.deliveries.find(delivery?.id ?? '', 'acme')).toMatchObject({
    status: 'delivered',
    attempts: 3,
    tries: [
      { status: 500, error: 'http_500' },
      { status: 302, error: 'http_302' },
      { status: 204, error: null },
    ],
  });
  expect(await process.destinations.list('acme', 10)).toMatchObject([{ failures: 0, lastError: null, status: 'active' }]);
});

it('waits as long as the destination asks, with everything for it', async () => {
  await process.destination(receiver.url('/a'));
  receiver.answers.set('/a', (response) => response.writeHead(429, { 'retry-after': '1800' }).end());
  await process.happens();
  await process.deliver();
  await process.happens();
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(1);
  const [waits] = await rows<{ delivery: number; destination: number }>(
    `SELECT extract(epoch FROM e.next_attempt_at - now())::int AS delivery, extract(epoch FROM d.retry_at - now())::int AS destination
     FROM deliveries e JOIN destinations d ON d.id = e.destination_id WHERE e.attempts = 1`,
  );
  for (const wait of [waits?.delivery, waits?.destination]) {
    expect(wait).toBeGreaterThan(1_700);
    expect(wait).toBeLessThanOrEqual(1_800);
  }
});

it('gives a message up after a day, and sends it again when it is asked to', async () => {
  await process.destination(receiver.url('/a'));
  receiver.answers.set('/a', 503);
  await process.happens();
  await process.deliver();
  clock.advance(24 * HOUR_MS);
  await later();
  await process.deliver();
  const [dead] = await process.deliveries.list({ status: 'dead', limit: 10 });
  expect(dead).toMatchObject({ attempts: 2, error: 'http_503' });
  receiver.answers.set('/a', 200);
  await later();
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(2);
  await process.deliveries.resend(dead?.id ?? '', 'acme');
  await process.deliver();
  expect(await process.deliveries.find(dead?.id ?? '', 'acme')).toMatchObject({ status: 'delivered', attempts: 3 });
  expect(new Set(receiver.at('/a').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

it('pauses a destination that has been dead for half a day, with an alert; what waits goes when it is resumed', async () => {
  const alerts = new AlertService(database.dataSource, clock, new AuditLog(database.dataSource, clock));
  const evaluator = new AlertEvaluator(database.dataSource, new ProviderRegistry(), process.wakeUp, process.outbox);
  const made = await process.destination(receiver.url('/dead'));
  receiver.answers.set('/dead', 500);
  await process.happens();
  for (let i = 0; i < 20; i++) {
    await later();
    await process.deliver();
  }
  expect(await process.destinations.find(made.id, 'acme')).toMatchObject({ status: 'active', failures: 20 }); // many, but not for long
  await process.happens();
  clock.advance(13 * HOUR_MS);
  await later();
  await process.deliver();
  expect(await process.destinations.find(made.id, 'acme')).toMatchObject({ status: 'paused', pausedReason: 'failing', waiting: 2 });
  await evaluator.evaluate();
  expect(await alerts.list({ tenant: 'acme', state: 'open', limit: 10 })).toMatchObject([
    { kind: 'destination_paused', title: 'Webhooks to Test are paused' },
  ]);

  const before = receiver.at('/dead').length;
  await process.happens(); // is kept for it
  await later();
  await process.deliver();
  expect(receiver.at('/dead')).toHaveLength(before);
  receiver.answers.set('/dead', 200);
  await process.destinations.resume(made.id, 'acme');
  await process.deliver();
  expect(receiver.at('/dead')).toHaveLength(before + 3);
  await evaluator.evaluate();
  expect(await alerts.list({ state: 'open', limit: 10 })).toEqual([]);
});

it('pauses a destination at once that says it is gone', async () => {
  const made = await process.destination(receiver.url('/gone'));
  receiver.answers.set('/gone', 410);
  await process.happens();
  await process.deliver();
  expect(await process.destinations.find(made.id, 'acme')).toMatchObject({ status: 'paused', pausedReason: 'gone' });
});

it('signs with the old and the new secret while one is rolled, and with the new one alone afterwards', async () => {
  const old = await process.destination(receiver.url('/a'));
  const rolled = await process.destinations.rotate(old.id, 'acme', HOUR_MS);
  expect(rolled.secret).not.toBe(old.secret);
  await process.happens();
  await process.deliver();
  clock.advance(HOUR_MS);
  await process.happens();
  await process.deliver();
  const [during, after] = receiver.at('/a');
  const good = (index: typeof during, secret: string) =>
    index && verifyStandardWebhook(deliveryOf(index, clock.now() - (index === during ? HOUR_MS : 0)), [secret]).ok;
  expect([good(during, old.secret), good(during, rolled.secret)]).toEqual([true, true]);
  expect([good(after, old.secret), good(after, rolled.secret)]).toEqual([false, true]);
  const [stored] = await rows<{ all: string }>(`SELECT string_agg(s::text, ' ') AS all FROM destination_secrets s`);
  expect(stored?.all).not.toContain(old.secret.slice(6, 30));
  expect(stored?.all).not.toContain(rolled.secret.slice(6, 30));
});

it('sends what a process had claimed when it died, once its lease is over', async () => {
  await process.destination(receiver.url('/a'));
  await process.happens();
  const dead = new NotificationProcess(database, { clock, box });
  const [claimed] = await dead.claims.due({ good: 10, doubtful: 10, slow: [], quick: [], lease: randomUUID(), busy: new Map() });
  expect(claimed).toBeDefined();
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(0); // the lease holds
  await rows(`UPDATE deliveries SET lease_until = now() - interval '1 second' WHERE status = 'sending'`);
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(1);
  // It was only paused, and comes back: its word does not count any more.
  expect(claimed && (await dead.claims.failed(claimed, { at: new Date(clock.now()), durationMs: 1, error: 'timeout' }, 1))).toBeUndefined();
  expect(await process.deliveries.list({ limit: 10 })).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  await dead.close();
});

it('sends what a process had claimed that has ended, without waiting for its lease', async () => {
  await process.destination(receiver.url('/a'));
  await process.happens();
  const ended = signed('0000dead');
  const dead = new NotificationProcess(database, { clock, box });
  expect(await dead.claims.due({ good: 10, doubtful: 10, slow: [], quick: [], lease: ended, busy: new Map() })).toHaveLength(1);
  await process.claims.endLeases(['0000dead', '0000beef']);
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(0); // it lives
  await process.claims.endLeases(['0000beef']);
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(1);
  await dead.close();
});

it('sends each message once where several processes look at the same time', async () => {
  await process.destination(receiver.url('/a'));
  const other = new NotificationProcess(database, { clock, box });
  for (let i = 0; i < 20; i++) await process.happens();
  await Promise.all([process.deliver(), other.deliver(), process.deliver(), other.deliver()]);
  const ids = receiver.at('/a').map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(20);
  expect(new Set(ids).size).toBe(20);
  await other.close();
});

it('does not let a destination that hangs delay another', async () => {
  await process.destination(receiver.url('/hangs'));
  const well = await process.destination(receiver.url('/well'));
  receiver.answers.set('/hangs', HANGS);
  for (let i = 0; i < 30; i++) await process.happens();
  await process.worker.wake();
  const until = Date.now() + 30_000;
  while (receiver.at('/well').length < 30 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(receiver.at('/well')).toHaveLength(30);
  // Of the hanging one no more were taken than a destination may have at the same time, and no further one once it had failed.
  await process.worker.idle();
  expect(receiver.at('/hangs').length).toBeLessThanOrEqual(DELIVERY_DEFAULTS.perDestination);
  expect(await process.deliveries.list({ destinationId: well.id, status: 'pending', limit: 100 })).toEqual([]);
  expect(await rows(`SELECT DISTINCT error_code FROM deliveries WHERE attempts > 0 AND status = 'pending'`)).toEqual([
    { error_code: 'timeout' },
  ]);
});

it('gathers changes of records: one message for a connection and resource, with the first cursor', async () => {
  await process.destination(receiver.url('/a'), { events: ['record.changed'] });
  const change = (cursor: string, created: number) => ({
    tenant: 'acme',
    provider: 'p',
    connectionId: '0197a000-0000-7000-8000-000000000001',
    resource: 'things',
    cursor,
    created,
    updated: 1,
    deleted: 0,
    at: new Date(clock.now()),
  });
  for (const [cursor, created] of [
    ['c1', 2],
    ['c2', 3],
  ] as const) {
    await database.dataSource.transaction((manager) => process.outbox.recordsChanged(manager, change(cursor, created)));
  }
  await process.deliver();
  expect(receiver.received).toEqual([]); // still gathering
  await rows('UPDATE record_change_batches SET flush_at = now()');
  await process.deliver();
  expect(receiver.at('/a').map(({ body }) => (JSON.parse(body.toString()) as { data: unknown }).data)).toEqual([
    {
      provider: 'p',
      connectionId: '0197a000-0000-7000-8000-000000000001',
      resource: 'things',
      count: 7,
      created: 5,
      updated: 2,
      deleted: 0,
      cursor: 'c1',
    },
  ]);
});

it('forwards only the types of webhooks that a destination names', async () => {
  await process.destination(receiver.url('/some'), { events: ['webhook.received'], webhookTypes: ['pay/invoice.*', 'chat/message'] });
  await process.destination(receiver.url('/all'), { events: ['webhook.received'] });
  const types = ['pay/invoice.paid', 'pay/invoicexpaid', 'pay/charge', 'chat/message', 'chat/message.im'];
  for (const webhookType of types) await process.happens({ type: 'webhook.received', webhookType, data: { webhookType } });
  await process.deliver();
  const got = (path: string) =>
    receiver.at(path).map(({ body }) => (JSON.parse(body.toString()) as { data: { webhookType: string } }).data.webhookType);
  expect(got('/some').sort()).toEqual(['chat/message', 'pay/invoice.paid']);
  expect(got('/all').sort()).toEqual([...types].sort());
});

it('sends a test at once, to a paused destination too, and holds its failure against nobody', async () => {
  const made = await process.destination(receiver.url('/a'));
  await process.destinations.pause(made.id, 'acme');
  expect(await process.tester.test(made.id, 'acme')).toMatchObject({
    type: 'destination.test',
    status: 'delivered',
    responseStatus: 200,
  });
  receiver.answers.set('/a', 500);
  expect(await process.tester.test(made.id, 'acme')).toMatchObject({ status: 'dead', error: 'http_500', tries: [{ status: 500 }] });
  expect(await process.destinations.find(made.id, 'acme')).toMatchObject({ failures: 0, pausedReason: 'asked' });
});

describe('in production', () => {
  let guarded: NotificationProcess;
  beforeEach(() => {
    guarded = new NotificationProcess(database, { clock, box, production: true });
  });
  afterEach(() => guarded.close());

  it.each([
    'http://127.0.0.1/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://2130706433/x',
    'https://localhost/x',
    'http://hooks.example.com/x',
    'https://u:p@example.com/x',
  ])('refuses %s as a destination', async (url) => {
    await expect(guarded.destination(url)).rejects.toMatchObject({ code: 'destination_refused' });
    expect(await guarded.destinations.list('acme', 10)).toEqual([]);
  });

  it('refuses to connect to an address inside, however it got among the destinations', async () => {
    for (const url of [receiver.url('/in'), `http://localhost:${receiver.port}/in`]) await process.destination(url);
    await process.happens();
    await guarded.deliver();
    expect(receiver.received).toEqual([]);
    expect(await guarded.deliveries.list({ limit: 10 })).toMatchObject([
      { error: 'address_refused', responseStatus: null },
      { error: 'address_refused' },
    ]);
  });
});

it('stores what the events of one delivery share once, and sends it with each of them', async () => {
  const [mine, other] = [uuidv7(), uuidv7()];
  await process.destination(receiver.url('/a'), { events: ['webhook.received'] });
  const payload = { value: { text: 'x'.repeat(1_000) } };
  const event = (n: number, connectionId: string) =>
    eventOf({ type: 'webhook.received', connectionId, data: { id: `e${n}`, eventId: `e${n}`, type: 't' }, payload });
  const events = [...Array.from({ length: 200 }, (_, n) => event(n, mine)), event(200, other)];
  await database.dataSource.transaction((manager) => process.outbox.add(manager, events));
  // one for each connection, with which it ends
  expect(await rows(`SELECT connection_id, length(body) AS chars FROM outbox_payloads ORDER BY created_at, id`)).toEqual([
    { connection_id: mine, chars: 1_011 },
    { connection_id: other, chars: 1_011 },
  ]);
  expect(await rows(`SELECT 1 FROM outbox WHERE body LIKE '%xxx%'`)).toEqual([]);
  for (let waiting = 201; waiting > 0;) {
    await process.deliver();
    const [left] = await rows<{ n: number }>(`SELECT count(*)::int AS n FROM deliveries WHERE status <> 'delivered'`);
    expect(left?.n).toBeLessThan(waiting);
    waiting = left?.n ?? 0;
  }
  const sent = receiver.received.map(({ body }) => JSON.parse(body.toString()) as { data: { eventId: string; payload: unknown } });
  expect(new Set(sent.map(({ data }) => data.eventId)).size).toBe(201);
  for (const { data } of sent) expect(data.payload).toEqual(payload.value);
});

it('stores no payload where nobody asked for the event', async () => {
  await process.destination(receiver.url('/a'), { events: ['webhook.received'], webhookTypes: ['other/*'] });
  const about = { type: 'webhook.received' as const, webhookType: 'p/t', payload: { value: {} } };
  await process.happens(about);
  expect(await rows('SELECT 1 FROM outbox_payloads')).toEqual([]);
});

it('follows no redirect', async () => {
  await process.destination(receiver.url('/a'));
  receiver.answers.set('/a', (response) => response.writeHead(307, { location: receiver.url('/inside') }).end());
  await process.happens();
  await process.deliver();
  expect(receiver.received.map(({ path }) => path)).toEqual(['/a']);
});

it('gives back what a stop cut off, and holds it against nobody', async () => {
  const made = await process.destination(receiver.url('/hangs'));
  receiver.answers.set('/hangs', HANGS);
  // The grace is over at once; the engine's own deadline is not, or the stop would not wait for the delivery to be given back.
  const impatient = new (class extends StillClock {
    override sleep(ms: number, signal?: AbortSignal): Promise<void> {
      return ms <= GRACE_MS ? Promise.resolve() : super.sleep(ms, signal);
    }
  })();
  const stopping = new NotificationProcess(database, { clock: impatient, box, options: { timeoutMs: 60_000 } });
  await process.happens();
  await stopping.worker.wake();
  await stopping.close();
  expect(await process.deliveries.list({ limit: 10 })).toMatchObject([{ status: 'pending', attempts: 0, error: null }]);
  expect(await process.destinations.find(made.id, 'acme')).toMatchObject({ failures: 0 });
  receiver.answers.clear();
  await process.deliver();
  expect(await process.deliveries.list({ limit: 10 })).toMatchObject([{ status: 'delivered', attempts: 1 }]);
});
