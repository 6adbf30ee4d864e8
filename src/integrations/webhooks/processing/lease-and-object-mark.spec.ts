import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../clock';
import { OnlyProcess } from '../../../database';
import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { ProcessPresence } from '../../jobs';
import { claimedEventOf } from './claimed-event';
import { EffectRunner } from './effect-runner';
import { EventClaims } from './event-claims';
import { OnWebhook } from './on-webhook.decorator';

const SEEDS = Number(process.env['SEEDS'] ?? 100);

interface Thing {
  readonly id: string;
  readonly object: string;
  readonly deleted?: boolean;
}

/** Keeps the state of objects as the last applied event says. */
@OnWebhook('testp', 'thing.*')
class States implements WebhookHandler<Thing> {
  async handle({ payload, objectVersion }: WebhookEvent<Thing>, { connection, manager }: HandlerContext): Promise<void> {
    await manager.query(
      `INSERT INTO states (connection_id, object, version, event_id, deleted) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (connection_id, object) DO UPDATE SET version = excluded.version, event_id = excluded.event_id, deleted = excluded.deleted`,
      [connection?.id, payload.object, objectVersion, payload.id, payload.deleted ?? false],
    );
  }
}

/** Notes that something happened, whatever has happened since. */
@OnWebhook({ provider: 'testp', types: ['*'], evenStale: true })
class Ledger implements WebhookHandler<Thing> {
  async handle({ eventId }: WebhookEvent<Thing>, { connection, manager }: HandlerContext): Promise<void> {
    await manager.query('INSERT INTO ledger (event_id, connection_id) VALUES ($1, $2)', [eventId, connection?.id]);
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [States, Ledger], processor: { batchSize: 7 } });
  await harness.rows(
    'CREATE TABLE states (connection_id uuid, object text, version numeric, event_id text, deleted boolean, PRIMARY KEY (connection_id, object))',
  );
  await harness.rows('CREATE TABLE ledger (event_id text PRIMARY KEY, connection_id uuid)');
});
afterAll(() => harness.close());
beforeEach(async () => {
  for (const table of ['webhook_events', 'object_marks', 'states', 'ledger']) await harness.rows(`DELETE FROM ${table}`);
});

const state = () =>
  harness.rows<{ object: string; version: string; event_id: string; deleted: boolean }>(
    'SELECT object, version, event_id, deleted FROM states ORDER BY object',
  );

it('does not take an object back when an older event comes late, and still counts the older one', async () => {
  await harness.connect('acc_late');
  await harness.deliver({ id: 'e2', type: 'thing.updated', account: 'acc_late', object: 'o', version: 2 });
  await harness.wakeUp.drain();
  await harness.deliver({ id: 'e1', type: 'thing.created', account: 'acc_late', object: 'o', version: 1 });
  await harness.wakeUp.drain();
  expect(await state()).toEqual([{ object: 'o', version: '2', event_id: 'e2', deleted: false }]);
  expect(await harness.rows('SELECT event_id FROM ledger ORDER BY event_id')).toEqual([{ event_id: 'e1' }, { event_id: 'e2' }]);
  expect(await harness.rows(`SELECT count(*)::int AS n FROM webhook_events WHERE status = 'completed'`)).toEqual([{ n: 2 }]);
});

it(`ends in the same state in whatever order, and however often, events come (${SEEDS} seeds)`, async () => {
  const account = `acc_${randomUUID()}`;
  await harness.connect(account);
  const history = fc.array(
    fc.record({ object: fc.constantFrom('a', 'b', 'c'), version: fc.integer({ min: 0, max: 5 }), deleted: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  );
  const run = fc.record({
    history,
    order: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
    cuts: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 30, maxLength: 30 }),
  });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(run, async ({ history, order, cuts }) => {
      const prefix = `${++round}_`;
      const events = history.map((item, index) => ({
        ...item,
        object: prefix + item.object,
        id: `${prefix}${String(index).padStart(2, '0')}`,
        account,
        type: item.deleted ? 'thing.deleted' : 'thing.updated',
      }));
      // some come twice, in any order, a few at a time
      const deliveries = shuffled([...events, ...events.filter((_, index) => (order[index] ?? 0) % 3 === 0)], order);
      for (let at = 0, cut = 0; at < deliveries.length; cut++) {
        const some = deliveries.slice(at, (at += cuts[cut] ?? 1));
        await Promise.all(some.map((event) => harness.deliver(event)));
        if (cut % 2 === 0) await harness.wakeUp.drain();
      }
      await harness.wakeUp.drain();
      const last = new Map<string, (typeof events)[number]>();
      for (const event of events) {
        const before = last.get(event.object);
        if (!before || event.version > before.version || (event.version === before.version && event.id > before.id))
          last.set(event.object, event);
      }
      const expected = [...last.values()]
        .sort((a, b) => (a.object < b.object ? -1 : 1))
        .map(({ object, version, id, deleted }) => ({ object, version: String(version), event_id: id, deleted }));
      expect(await state()).toEqual(expected);
      expect(await harness.rows('SELECT count(*)::int AS n FROM ledger')).toEqual([{ n: events.length }]);
      for (const table of ['states', 'ledger', 'webhook_events', 'object_marks']) await harness.rows(`DELETE FROM ${table}`);
    }),
    { numRuns: SEEDS },
  );
}, 600_000);

it('keeps nothing of a worker that was paused past its lease', async () => {
  await harness.connect('acc_paused');
  await harness.deliver({ id: 'e1', type: 'thing.updated', account: 'acc_paused', object: 'o', version: 1 });
  const claims = harness.module.get(EventClaims);
  const effects = harness.module.get(EffectRunner);
  const { events: paused } = await claims.due({ limit: 10, lease: randomUUID(), leaseSeconds: 60, busyTenants: [], busyKinds: [] });
  expect(paused).toHaveLength(1);
  await harness.rows(`UPDATE webhook_events SET lease_until = now() - interval '1 second'`);
  await harness.wakeUp.drain(); // somebody else took it over and did it
  expect(await effects.run(paused, new Map())).toBe(0);
  const attempt = { at: '', attempt: 1, durationMs: 0, worker: null, code: 'webhook_handler_failed', error: 'late' };
  const late = { code: 'webhook_handler_failed', message: 'late' } as const;
  expect(await claims.fail(paused[0] as ReturnType<typeof claimedEventOf>, late, { waitMs: 0 }, attempt)).toBeUndefined();
  expect(await harness.rows('SELECT status, attempts FROM webhook_events')).toEqual([{ status: 'completed', attempts: 2 }]);
  expect(await harness.rows('SELECT event_id FROM ledger')).toEqual([{ event_id: 'e1' }]);
});

it('takes over what a process held that has ended, without waiting for its lease', async () => {
  await harness.connect('acc_ended');
  await harness.deliver({ id: 'e1', type: 'thing.updated', account: 'acc_ended', object: 'o', version: 1 });
  const claims = harness.module.get(EventClaims);
  const dead = new OnlyProcess();
  const lease = new ProcessPresence(dead, systemClock).newLease();
  expect((await claims.due({ limit: 10, lease, leaseSeconds: 60, busyTenants: [], busyKinds: [] })).events).toHaveLength(1);
  await claims.endLeases([dead.sign, '0000beef']);
  await harness.wakeUp.drain();
  expect(await harness.rows('SELECT status, attempts FROM webhook_events')).toEqual([{ status: 'processing', attempts: 1 }]);
  await claims.endLeases(['0000beef']);
  await harness.wakeUp.drain();
  expect(await harness.rows('SELECT status, attempts FROM webhook_events')).toEqual([{ status: 'completed', attempts: 2 }]);
});

it('does not touch what belongs to a connection that was disconnected meanwhile', async () => {
  const id = await harness.connect('acc_gone');
  await harness.deliver({ id: 'e1', type: 'thing.updated', account: 'acc_gone', object: 'o', version: 1 });
  await harness.rows(`UPDATE connections SET status = 'disconnected' WHERE id = $1`, [id]);
  await harness.wakeUp.drain();
  expect(await harness.rows('SELECT status FROM webhook_events')).toEqual([{ status: 'completed' }]);
  expect(await state()).toEqual([]);
});

it("serves a tenant's single event before the rest of another one's ten thousand", async () => {
  await harness.connect('acc_flood', 'flood');
  await harness.connect('acc_small', 'small');
  const { id } = (await harness.rows<{ id: string }>(`SELECT id FROM connections WHERE tenant = 'flood'`))[0] ?? { id: '' };
  await harness.rows(
    `WITH payload AS (INSERT INTO webhook_payloads (id, body) VALUES (gen_random_uuid(), '{"object":"o"}') RETURNING id)
     INSERT INTO webhook_events (id, payload_id, provider, event_id, type, connection_id, tenant)
     SELECT gen_random_uuid(), payload.id, 'testp', 'flood_' || n, 'thing.flood', $1, 'flood' FROM payload, generate_series(1, 10000) n`,
    [id],
  );
  await harness.deliver({ id: 'single', type: 'thing.updated', account: 'acc_small', object: 'o', version: 1 });
  const { signal } = new AbortController();
  const { jobs } = await harness.inbox.claim({ room: 3, held: [], leaseSeconds: 60, newLease: randomUUID, signal });
  expect(jobs).toHaveLength(1);
  for (const job of jobs) await harness.inbox.run(job, signal);
  expect(await harness.rows(`SELECT status FROM webhook_events WHERE event_id = 'single'`)).toEqual([{ status: 'completed' }]);
  const [done] = await harness.rows<{ n: number }>(`SELECT count(*)::int AS n FROM webhook_events WHERE status = 'completed'`);
  expect(done?.n).toBeLessThanOrEqual(7);
});

function shuffled<T>(items: readonly T[], keys: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, key: ((keys[index % keys.length] ?? 0) * 31 + index * 17) % 1_009 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
