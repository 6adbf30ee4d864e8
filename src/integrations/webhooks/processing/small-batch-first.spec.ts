import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { EventClaims } from './event-claims';
import { OnWebhook } from './on-webhook.decorator';

const BATCH = 20;

/** The first event of the big tenant is not done before the small tenant's event is. */
@OnWebhook('testp', 'thing.changed')
class Waiting implements WebhookHandler {
  static smallIsDone: () => void;
  static readonly small = new Promise<void>((resolve) => (Waiting.smallIsDone = resolve));

  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    await manager.query('INSERT INTO notes (event_id) VALUES ($1)', [eventId]);
    if (eventId === 'big_0') await Waiting.small;
    if (eventId === 'small') Waiting.smallIsDone();
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Waiting], processor: { batchSize: BATCH, handleTimeoutMs: 20_000 } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL)');
  await harness.connect('acc_big', 'big');
  await harness.connect('acc_small', 'small');
});
afterAll(() => harness.close());

// The embedded database has one connection: there, nothing runs beside a transaction.
const onServer = process.env.TEST_DATABASE_URL ? it : it.skip;

onServer("does not let a tenant's single event that was claimed ahead wait for the batch that is being worked off", async () => {
  for (let n = 0; n < 2 * BATCH; n++) await harness.deliver({ id: `big_${n}`, account: 'acc_big' });
  const claims = harness.module.get(EventClaims);
  const due = claims.due.bind(claims);
  let looks = 0;
  claims.due = async (query) => {
    if (++looks === 2) await harness.deliver({ id: 'small', account: 'acc_small' });
    return due(query);
  };
  await harness.wakeUp.drain();
  expect(await harness.rows('SELECT count(*)::int AS notes, count(DISTINCT event_id)::int AS events FROM notes')).toEqual([
    { notes: 2 * BATCH + 1, events: 2 * BATCH + 1 },
  ]);
  expect(await harness.rows(`SELECT event_id, attempts FROM webhook_events WHERE status <> 'completed' OR attempts <> 1`)).toEqual([]);
});
