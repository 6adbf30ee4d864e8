import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { EventClaims } from './event-claims';
import { OnWebhook } from './on-webhook.decorator';

const BATCH = 20;

@OnWebhook('testp', 'thing.changed')
class Counting implements WebhookHandler {
  static running = 0;
  static most = 0;

  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    Counting.most = Math.max(Counting.most, ++Counting.running);
    await manager.query('INSERT INTO notes (event_id) VALUES ($1)', [eventId]);
    Counting.running--;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([2, 3])('with %i jobs at the same time', (concurrency) => {
  let harness: WebhookHarness;
  /** In work at the same time. */
  let mostJobs = 0;
  beforeAll(async () => {
    harness = await createWebhookHarness({ handlers: [Counting], processor: { batchSize: BATCH, concurrency } });
    await harness.rows('CREATE TABLE notes (event_id text NOT NULL)');
    await harness.connect('acc_big', 'big');
    const { run } = harness.inbox;
    harness.inbox.run = (job, signal) => {
      const began = run.call(harness.inbox, job, signal);
      mostJobs = Math.max(mostJobs, harness.worker.inWork.filter((other) => other !== job).length + 1);
      return began;
    };
  });
  afterAll(() => harness.close());

  /** It is rung all the time until the backlog is worked off. @returns how many jobs, and how many handlers, were at work at the same time */
  async function workOff(name: string, backlog: number): Promise<{ jobs: number; handlers: number }> {
    Counting.most = 0;
    mostJobs = 0;
    await Promise.all(Array.from({ length: backlog }, (_, n) => harness.deliver({ id: `${name}_${n}`, account: 'acc_big' })));
    let done = 0;
    const ring = async () => {
      while (done < backlog) {
        await harness.wakeUp.drain();
        await pause(1);
        const sql = 'SELECT count(*)::int AS notes, count(DISTINCT event_id)::int AS events FROM notes WHERE event_id LIKE $1';
        const [found] = await harness.rows<{ notes: number; events: number }>(sql, [`${name}_%`]);
        expect(found?.notes).toBe(found?.events);
        done = found?.notes ?? 0;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, ring));
    expect(done).toBe(backlog);
    return { jobs: mostJobs, handlers: Counting.most };
  }

  it("keeps one of the places free of a tenant's backlog, however often it rings", async () => {
    const { jobs, handlers } = await workOff('quick', 15 * BATCH);
    expect([jobs, handlers].map((most) => most < concurrency)).toEqual([true, true]);
  });

  it('does so where a claim is still under way when the batch before it is done', async () => {
    const claims = harness.module.get(EventClaims);
    const { due } = claims;
    claims.due = async (query) => {
      await pause(4);
      return due.call(claims, query);
    };
    try {
      const { jobs, handlers } = await workOff('slow', 6 * BATCH);
      expect([jobs, handlers].map((most) => most < concurrency)).toEqual([true, true]);
    } finally {
      claims.due = due;
    }
  });

  it('begins a second job with a backlog, where two may work on it', async () => {
    await Promise.all(Array.from({ length: 3 * BATCH }, (_, n) => harness.deliver({ id: `called_${n}`, account: 'acc_big' })));
    const { claim } = harness.inbox;
    let mostHeld = 0;
    harness.inbox.claim = (request) => {
      mostHeld = Math.max(mostHeld, request.held.length);
      return claim.call(harness.inbox, request);
    };
    await harness.wakeUp.drain();
    harness.inbox.claim = claim;
    expect(mostHeld + 1).toBe(concurrency - 1); // it claims for a second one while the first is in work
  });

  it('ends a look where more tenants than go into a claim have something that is not due yet', async () => {
    const tenants = Array.from({ length: 2 * BATCH + 1 }, (_, n) => `waiting_${String(n).padStart(2, '0')}`);
    for (const tenant of tenants) await harness.connect(`acc_${tenant}`, tenant);
    await Promise.all(tenants.map((tenant) => harness.deliver({ id: `event_of_${tenant}`, account: `acc_${tenant}` })));
    await harness.rows(`UPDATE webhook_events SET next_attempt_at = now() + interval '1 hour' WHERE tenant LIKE 'waiting_%'`);
    await harness.worker.look();
    await harness.rows(`UPDATE webhook_events SET next_attempt_at = now() WHERE tenant = 'waiting_40' OR tenant = 'waiting_00'`);
    await harness.wakeUp.drain();
    const done = `SELECT tenant FROM webhook_events WHERE tenant LIKE 'waiting_%' AND status = 'completed' ORDER BY tenant`;
    expect(await harness.rows(done)).toEqual([{ tenant: 'waiting_00' }, { tenant: 'waiting_40' }]);
  });

  it('does so for the few at the end of the backlog', async () => {
    const { jobs, handlers } = await workOff('last', 3 * BATCH + 2);
    expect([jobs, handlers].map((most) => most < concurrency)).toEqual([true, true]);
  });
});
