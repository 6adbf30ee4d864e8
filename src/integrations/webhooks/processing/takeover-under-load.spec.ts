import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { OnWebhook } from './on-webhook.decorator';

const BACKLOG = 400;

@OnWebhook('testp', 'thing.changed')
class Noting implements WebhookHandler {
  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    await manager.query('INSERT INTO notes (event_id) VALUES ($1)', [eventId]);
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Noting], processor: { batchSize: 4 } });
  await harness.rows('CREATE TABLE notes (no serial, event_id text NOT NULL)');
  for (const account of ['acc_1', 'acc_2', 'acc_3', 'acc_4']) await harness.connect(account, account);
});
afterAll(() => harness.close());

it('takes over what a dead worker held while every lane is at work, not only when the backlog is done', async () => {
  await harness.deliver({ id: 'evt_orphan', account: 'acc_1' });
  await harness.rows(
    `UPDATE webhook_events SET status = 'processing', attempts = 1, lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute'`,
  );
  await Promise.all(Array.from({ length: BACKLOG }, (_, n) => harness.deliver({ id: `evt_${n}`, account: `acc_${(n % 4) + 1}` })));

  const first = harness.wakeUp.drain();
  for (let look = 0; look < 1_000 && harness.processor.inFlight === 0; look++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(harness.processor.inFlight).toBeGreaterThan(0);
  const second = harness.wakeUp.drain();
  // Its worker is dead, and the lease ends while both lanes are at work.
  await harness.rows(`UPDATE webhook_events SET lease_until = now() - interval '1 second' WHERE event_id = 'evt_orphan'`);
  await Promise.all([first, second]);
  await harness.wakeUp.drain();

  const notes = (await harness.rows<{ event_id: string }>('SELECT event_id FROM notes ORDER BY no')).map(({ event_id }) => event_id);
  expect(notes).toHaveLength(BACKLOG + 1);
  expect(notes.indexOf('evt_orphan')).toBeLessThan(BACKLOG / 2);
});
