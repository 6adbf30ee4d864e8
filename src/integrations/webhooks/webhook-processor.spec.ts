import { createWebhookHarness, type WebhookHarness } from '../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../provider';
import { OnWebhook } from './on-webhook.decorator';

/** Notes each call in a table of its own, within the event's transaction. */
@OnWebhook('testp', 'thing.changed', 'thing.broken', 'thing.hangs')
class Noting implements WebhookHandler<{ id: string; fails?: number }> {
  static failuresLeft = 0;

  async handle(event: WebhookEvent<{ id: string }>, context: HandlerContext): Promise<void> {
    await context.manager.query('INSERT INTO notes (event_id, tenant) VALUES ($1, $2)', [event.eventId, context.connection?.tenant ?? null]);
    if (event.type === 'thing.broken') throw new Error('this handler is broken');
    if (event.type === 'thing.hangs') await new Promise(() => undefined);
    if (Noting.failuresLeft > 0) {
      Noting.failuresLeft--;
      throw new Error('not this time');
    }
  }
}

let harness: WebhookHarness;

beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Noting], settings: { webhookMaxAttempts: 3 }, processor: { handleTimeoutMs: 200 } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL, tenant text)');
  await harness.connect('acc_1');
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.rows('DELETE FROM webhook_events');
  await harness.rows('DELETE FROM notes');
});

const states = () => harness.rows<{ event_id: string; status: string; attempts: number; last_error: string | null }>('SELECT event_id, status, attempts, last_error FROM webhook_events ORDER BY event_id');
const notes = async () => (await harness.rows<{ event_id: string }>('SELECT event_id FROM notes ORDER BY event_id')).map((row) => row.event_id);

it('stores an event that comes ten times at once as one row and applies it once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => harness.deliver({ id: 'evt_1', account: 'acc_1' })));
  await harness.doorbell.drain();
  await harness.deliver({ id: 'evt_1', account: 'acc_1' });
  await harness.doorbell.drain();
  expect(await states()).toEqual([{ event_id: 'evt_1', status: 'completed', attempts: 1, last_error: null }]);
  expect(await notes()).toEqual(['evt_1']);
});

it('runs a failed event again, and its effect is there once', async () => {
  Noting.failuresLeft = 2;
  await harness.deliver({ id: 'evt_2', account: 'acc_1' });
  await harness.doorbell.drain();
  expect(await states()).toEqual([{ event_id: 'evt_2', status: 'completed', attempts: 3, last_error: null }]);
  expect(await notes()).toEqual(['evt_2']);
});
