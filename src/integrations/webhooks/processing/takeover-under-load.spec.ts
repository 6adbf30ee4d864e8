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

it('takes over what a dead worker held while jobs are in work, not only when the backlog is done', async () => {
  await harness.deliver({ id: 'evt_orphan', account: 'acc_1' });
  await harness.rows(
    `UPDATE webhook_events SET status = 'processing', attempts = 1, lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute'`,
  );
  await Promise.all(Array.from({ length: BACKLOG }, (_, n) => harness.deliver({ id: `evt_${n}`, account: `acc_${(n % 4) + 1}` })));

  // How many jobs were in work when one began, itself included.
  const besides: { kind: string; inWork: number }[] = [];
  const { run } = harness.inbox;
  harness.inbox.run = (job, signal) => {
    const began = run.call(harness.inbox, job, signal);
    besides.push({ kind: job.kind, inWork: harness.worker.inWork.filter((other) => other !== job).length + 1 });
    return began;
  };
  const drained = harness.wakeUp.drain();
  // The embedded database has one connection: there, one job at a time gets as far as its work.
  const several = harness.database.kind === 'server' ? 2 : 1;
  await until(() => harness.worker.inWork.length >= several);
  // Its worker is dead, and the lease ends while others are in work.
  await harness.rows(`UPDATE webhook_events SET lease_until = now() - interval '1 second' WHERE event_id = 'evt_orphan'`);
  await drained;
  harness.inbox.run = run;

  const notes = (await harness.rows<{ event_id: string }>('SELECT event_id FROM notes ORDER BY no')).map(({ event_id }) => event_id);
  expect(notes).toHaveLength(BACKLOG + 1);
  expect(notes.indexOf('evt_orphan')).toBeLessThan(BACKLOG / 2);
  expect(besides.filter(({ kind }) => kind === 'orphan')).toEqual([{ kind: 'orphan', inWork: 1 }]);
  expect(Math.max(...besides.map(({ inWork }) => inWork))).toBeGreaterThanOrEqual(several);
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition();) {
    if (Date.now() > end) throw new Error('What was waited for did not come.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
