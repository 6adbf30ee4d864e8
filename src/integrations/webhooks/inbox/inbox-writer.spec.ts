import { createWebhookHarness, testProvider, type WebhookHarness } from '../../../../test/support/webhook-harness';
import { v7 } from 'uuid';
import { systemClock, type Clock } from '../../../clock';
import { makePartitionsAhead, timePartitions } from '../../../database';
import type { WebhookFacts } from '../../contract';
import { PeriodicTasks } from '../../jobs';
import { PayloadRetention } from '../replay/payload-retention';

let harness: WebhookHarness;
const DEADLINE_MS = 8_000;
/** By how much the clock was put forward. */
let aheadMs = 0;
/** Where it stands still, and how far it jumps once so many deadlines were set. */
let standing: { readonly at: number; readonly deadlines: number; readonly jumpsMs: number } | undefined;
/** The deadlines that were set, in ms from then. They end when the test says so: `strike` ends the last one. */
const deadlines: number[] = [];
let strike: () => void = () => undefined;
const clock: Clock = {
  now: () => (standing?.at ?? systemClock.now()) + aheadMs,
  sleep: (ms, signal) =>
    ms > 1_000 && ms <= DEADLINE_MS
      ? new Promise((resolve, reject) => {
          deadlines.push(ms);
          if (deadlines.length === standing?.deadlines) aheadMs = standing.jumpsMs;
          strike = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        })
      : systemClock.sleep(ms, signal),
};

const facts = testProvider('testp').webhooks as WebhookFacts;
const odd = testProvider('odd', {
  ...facts,
  parse: (delivery) => ({
    events: facts.parse(delivery).events.map((event) => ({ ...event, objectKey: 'o', objectVersion: event.eventId === 'bad' ? 1e9 : 0 })),
  }),
});

beforeAll(async () => {
  harness = await createWebhookHarness({ clock, providers: [testProvider('testp'), odd] });
  await harness.connect('acc');
});
beforeEach(async () => {
  for (const table of ['webhook_events', 'webhook_payloads']) await harness.rows(`DELETE FROM ${table}`);
  deadlines.length = 0;
  aheadMs = 0;
  standing = undefined;
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => harness.close());

/** Each statement is a transaction of its own. */
const statements = async () => (await harness.rows<{ n: number }>('SELECT count(DISTINCT xmin::text)::int AS n FROM webhook_events'))[0]?.n;
const age = async (ids: string[], days: number) => {
  for (const id of ids) {
    const then = v7({ msecs: Date.now() - days * 86_400_000 });
    await harness.rows('UPDATE webhook_payloads SET id = $2 WHERE id = (SELECT payload_id FROM webhook_events WHERE event_id = $1)', [
      id,
      then,
    ]);
    await harness.rows('UPDATE webhook_events SET id = $2, payload_id = $2 WHERE event_id = $1', [id, then]);
  }
};
const count = async () => (await harness.rows<{ n: number }>('SELECT count(*)::int AS n FROM webhook_events'))[0]?.n;

it('stores two hundred deliveries that come together with a few statements, and one with one', async () => {
  await harness.deliver({ id: 'alone', account: 'acc' });
  expect(await statements()).toBe(1);
  await Promise.all(Array.from({ length: 200 }, (_, i) => harness.deliver({ id: `evt_${i}`, account: 'acc' })));
  expect(await statements()).toBeLessThanOrEqual(6);
  expect(await count()).toBe(201);
  expect(harness.wakeUp.calls).toBeGreaterThanOrEqual(2);
});

it('keeps each body to the byte, whatever went with it into one statement', async () => {
  const texts = ['ü', '"quoted" \\ back', 'half a pair \ud83d', '', 'x'.repeat(5_000)];
  await Promise.all(texts.map((text, i) => harness.deliver({ id: `evt_${i}_${text.slice(0, 20)}`, account: 'acc', note: text })));
  const rows = await harness.rows<{ event_id: string; body: Buffer }>(
    'SELECT e.event_id, p.body FROM webhook_events e JOIN webhook_payloads p ON p.id = e.payload_id',
  );
  expect(rows).toHaveLength(texts.length);
  for (const { event_id: id, body } of rows) {
    const sent = JSON.parse(Buffer.from(body).toString('utf8')) as { id: string; note: string };
    expect(id).toBe(sent.id.replace('\ud83d', '\ufffd'));
    expect(texts).toContain(sent.note);
  }
});

it('does not let one that cannot be stored take its neighbours with it', async () => {
  await harness.rows('ALTER TABLE webhook_events ADD CONSTRAINT small CHECK (object_version < 1000)');
  const results = await Promise.allSettled(['good_1', 'bad', 'good_2'].map((id) => harness.deliver({ id }, 'odd')));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await count()).toBe(2);
  await harness.rows('ALTER TABLE webhook_events DROP CONSTRAINT small');
});

it('answers by the deadline when the database hangs, refuses at once while it does, and recovers', async () => {
  let release = () => undefined as void;
  const held = new Promise<void>((resolve) => (release = resolve));
  // every connection there is, so that an insert waits
  const holders = Array.from({ length: harness.database.kind === 'embedded' ? 1 : 0 }, () => harness.dataSource.transaction(() => held));
  if (holders.length === 0) {
    release();
    return; // only the embedded database has so few connections
  }
  const first = harness.deliver({ id: 'evt_1', account: 'acc' });
  await until(() => deadlines.length === 1);
  const strikeFirst = strike;
  const second = harness.deliver({ id: 'evt_2', account: 'acc' });
  await until(() => deadlines.length === 2);
  strikeFirst();
  strike();
  await expect(first).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(second).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(harness.deliver({ id: 'evt_3', account: 'acc' })).rejects.toMatchObject({ code: 'storage_unavailable' });
  release();
  await Promise.all(holders);
  for (let tries = 0; tries < 100; tries++) {
    if (
      await harness.deliver({ id: 'evt_4', account: 'acc' }).then(
        () => true,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await harness.rows(`SELECT event_id FROM webhook_events WHERE event_id = 'evt_4'`)).toHaveLength(1);
});

it('counts the deadline from the arrival: what waited behind others has so much less', async () => {
  // Two are written at once; the rest waits behind them, and so long.
  standing = { at: systemClock.now(), deadlines: 2, jumpsMs: 5_000 };
  await Promise.all(Array.from({ length: 1_200 }, (_, i) => harness.deliver({ id: `evt_${i}`, account: 'acc' })));
  expect(deadlines.slice(0, 2)).toEqual([DEADLINE_MS, DEADLINE_MS]);
  expect(deadlines.slice(2)).not.toEqual([]);
  expect(new Set(deadlines.slice(2))).toEqual(new Set([DEADLINE_MS - 5_000]));
  expect(await count()).toBe(1_200);
});

it('refuses more than may wait', async () => {
  const results = await Promise.allSettled(Array.from({ length: 5_200 }, (_, i) => harness.deliver({ id: `evt_${i}`, account: 'acc' })));
  const refused = results.filter((result) => result.status === 'rejected');
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'busy', status: 503, retryAfterMs: expect.any(Number) as number });
  expect(await count()).toBe(5_200 - refused.length);
  expect(refused.length).toBeGreaterThan(0);
});

it('ends payloads by their age and keeps what makes a late redelivery a duplicate', async () => {
  await Promise.all(['old', 'older', 'fresh', 'waiting'].map((id) => harness.deliver({ id, account: 'acc' })));
  await harness.rows(`UPDATE webhook_events SET status = 'completed' WHERE event_id <> 'waiting'`);
  await age(['old', 'waiting'], 31);
  await age(['older'], 91);
  const retention = harness.module.get(PayloadRetention);
  expect(await retention.sweep()).toEqual({ payloads: 2, rows: 1 });
  expect(
    await harness.rows(
      'SELECT e.event_id, p.id IS NULL AS gone FROM webhook_events e LEFT JOIN webhook_payloads p ON p.id = e.payload_id ORDER BY 1',
    ),
  ).toEqual([
    { event_id: 'fresh', gone: false },
    { event_id: 'old', gone: true },
    { event_id: 'waiting', gone: false },
  ]);
  await harness.deliver({ id: 'old', account: 'acc' });
  expect(await count()).toBe(3);
});

it('ends a payload that an event waited for once it does so no more', async () => {
  await Promise.all(['done', 'late'].map((id) => harness.deliver({ id, account: 'acc' })));
  await age(['done', 'late'], 31);
  await harness.rows(`UPDATE webhook_events SET status = 'completed' WHERE event_id = 'done'`);
  const retention = harness.module.get(PayloadRetention);
  expect(await retention.sweep()).toMatchObject({ payloads: 1 });
  await harness.rows(`UPDATE webhook_events SET status = 'completed' WHERE event_id = 'late'`);
  expect(await retention.sweep()).toMatchObject({ payloads: 1 });
});

it('drops a partition of payloads that is over, once no event of it waits, and deletes the others of it until then', async () => {
  const dayMs = 86_400_000;
  const then = Date.now() - 70 * dayMs;
  await makePartitionsAhead(harness.dataSource, 30, then);
  await Promise.all(['done', 'waiting'].map((id) => harness.deliver({ id, account: 'acc' })));
  await harness.rows(`UPDATE webhook_events SET status = 'completed' WHERE event_id = 'done'`);
  await age(['done', 'waiting'], 70);
  const places = async () =>
    (await harness.rows<{ place: string }>('SELECT DISTINCT tableoid::regclass::text AS place FROM webhook_payloads')).map(
      ({ place }) => place,
    );
  const [place] = await places();
  expect(place).toMatch(/^webhook_payloads_\d{4}_/);
  const retention = harness.module.get(PayloadRetention);
  expect(await retention.sweep()).toMatchObject({ payloads: 1 });
  expect(await places()).toEqual([place]);
  await harness.rows(`UPDATE webhook_events SET status = 'completed' WHERE event_id = 'waiting'`);
  await retention.sweep();
  expect(await places()).toEqual([]);
  expect((await timePartitions(harness.dataSource, 'webhook_payloads')).map(({ name }) => name)).not.toContain(place);
});

it('goes on until no payload is overdue, and where it was stopped the next time', async () => {
  await harness.rows(
    `INSERT INTO webhook_payloads (id, body) SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '' FROM generate_series(1, 1300) n`,
  );
  const retention = new PayloadRetention(harness.dataSource, harness.module.get(PeriodicTasks), systemClock, { retentionDays: 30 });
  const stop = new AbortController();
  const first = retention.sweep(stop.signal);
  stop.abort();
  expect((await first).payloads).toBeLessThan(1_300);
  const { payloads } = await retention.sweep();
  expect((await first).payloads + payloads).toBe(1_300);
});

it('answers "come back later" when the database is gone, never that it was stored', async () => {
  await harness.dataSource.destroy(); // the last test: nothing is there after it
  await expect(harness.deliver({ id: 'evt', account: 'acc' })).rejects.toMatchObject({
    code: 'storage_unavailable',
    status: 503,
    retryAfterMs: expect.any(Number) as number,
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !condition();) {
    if (Date.now() > end) throw new Error('It did not come to that within 5 s.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
