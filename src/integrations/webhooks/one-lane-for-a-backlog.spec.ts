import { createWebhookHarness, type WebhookHarness } from '../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../provider';
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

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Counting], processor: { batchSize: BATCH } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL)');
  await harness.connect('acc_big', 'big');
});
afterAll(() => harness.close());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Two lanes that are rung all the time until the backlog is worked off. */
async function workOff(name: string, backlog: number): Promise<void> {
  Counting.most = 0;
  await Promise.all(Array.from({ length: backlog }, (_, n) => harness.deliver({ id: `${name}_${n}`, account: 'acc_big' })));
  let done = 0;
  const lane = async () => {
    while (done < backlog) {
      await harness.doorbell.drain();
      await pause(1);
      const sql = 'SELECT count(*)::int AS notes, count(DISTINCT event_id)::int AS events FROM notes WHERE event_id LIKE $1';
      const [found] = await harness.rows<{ notes: number; events: number }>(sql, [`${name}_%`]);
      expect(found?.notes).toBe(found?.events);
      done = found?.notes ?? 0;
    }
  };
  await Promise.all([lane(), lane()]);
  expect(done).toBe(backlog);
}

it("keeps one tenant's backlog to one lane, however often it rings, so that the others are free for other tenants", async () => {
  await workOff('quick', 15 * BATCH);
  expect(Counting.most).toBe(1);
});

it('does so where a claim is still under way when the batch before it is done', async () => {
  const claims = harness.module.get(EventClaims);
  const { due } = claims;
  claims.due = async (query) => {
    await pause(4);
    return due.call(claims, query);
  };
  try {
    await workOff('slow', 6 * BATCH);
  } finally {
    claims.due = due;
  }
  expect(Counting.most).toBe(1);
});

it('does so for the few at the end of the backlog', async () => {
  await workOff('last', 3 * BATCH + 2);
  expect(Counting.most).toBe(1);
});
