import { createWebhookHarness, type WebhookHarness } from '../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../provider';
import { OnWebhook } from './on-webhook.decorator';

const BACKLOG = 300;

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
  harness = await createWebhookHarness({ handlers: [Counting], processor: { batchSize: 20 } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL)');
  await harness.connect('acc_big', 'big');
});
afterAll(() => harness.close());

it("keeps one tenant's backlog to one lane, however often it rings, so that the others are free for other tenants", async () => {
  await Promise.all(Array.from({ length: BACKLOG }, (_, n) => harness.deliver({ id: `big_${n}`, account: 'acc_big' })));
  let over = false;
  const first = harness.doorbell.drain().finally(() => (over = true));
  while (!over) {
    await harness.doorbell.drain();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await first;
  await harness.doorbell.drain();
  expect(await harness.rows('SELECT count(*)::int AS notes, count(DISTINCT event_id)::int AS events FROM notes')).toEqual([
    { notes: BACKLOG, events: BACKLOG },
  ]);
  expect(Counting.most).toBe(1);
});
