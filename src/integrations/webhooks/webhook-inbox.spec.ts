import { hostname } from 'node:os';
import { createWebhookHarness, type WebhookHarness } from '../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../contract';
import { OnWebhook } from './processing/on-webhook.decorator';
import { WebhookEventList } from './replay/webhook-event.list';
import { WebhookReplay } from './replay/webhook-replay';

/** Notes each call in a table of its own, within the event's transaction. */
@OnWebhook('testp', 'thing.changed', 'thing.broken', 'thing.hangs')
class Noting implements WebhookHandler<{ id: string; fails?: number }> {
  static failuresLeft = 0;

  async handle(event: WebhookEvent<{ id: string }>, context: HandlerContext): Promise<void> {
    await context.manager.query('INSERT INTO notes (event_id, tenant) VALUES ($1, $2)', [
      event.eventId,
      context.connection?.tenant ?? null,
    ]);
    if (event.type === 'thing.broken') throw new Error('this handler is broken');
    if (event.type === 'thing.hangs') await new Promise(() => undefined);
    if (Noting.failuresLeft > 0) {
      Noting.failuresLeft--;
      throw new Error('not this time');
    }
  }
}

@OnWebhook('testp', 'thing.brought')
class Bringing implements WebhookHandler<{ id: string; broken?: boolean }> {
  async handle({ payload }: WebhookEvent<{ id: string; broken?: boolean }>, context: HandlerContext): Promise<void> {
    await context.applyRecords('things', [{ id: payload.id, data: { id: payload.id } }]);
    await context.requestSync(['things']);
    if (payload.broken) throw new Error('after the record');
  }
}

let harness: WebhookHarness;

beforeAll(async () => {
  harness = await createWebhookHarness({
    handlers: [Noting, Bringing],
    settings: { webhookMaxAttempts: 3 },
    processor: { handleTimeoutMs: 200 },
  });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL, tenant text)');
  await harness.connect('acc_1');
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.rows('DELETE FROM webhook_events');
  await harness.rows('DELETE FROM notes');
});

const states = () =>
  harness.rows<{ event_id: string; status: string; attempts: number; last_error: string | null }>(
    'SELECT event_id, status, attempts, last_error FROM webhook_events ORDER BY event_id',
  );
const notes = async () =>
  (await harness.rows<{ event_id: string }>('SELECT event_id FROM notes ORDER BY event_id')).map((row) => row.event_id);

it('stores an event that comes ten times at once as one row and applies it once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => harness.deliver({ id: 'evt_1', account: 'acc_1' })));
  await harness.wakeUp.drain();
  await harness.deliver({ id: 'evt_1', account: 'acc_1' });
  await harness.wakeUp.drain();
  expect(await states()).toEqual([{ event_id: 'evt_1', status: 'completed', attempts: 1, last_error: null }]);
  expect(await notes()).toEqual(['evt_1']);
});

it('runs a failed event again, and its effect is there once', async () => {
  Noting.failuresLeft = 2;
  await harness.deliver({ id: 'evt_2', account: 'acc_1' });
  await harness.wakeUp.drain();
  expect(await states()).toEqual([{ event_id: 'evt_2', status: 'completed', attempts: 3, last_error: null }]);
  expect(await notes()).toEqual(['evt_2']);
});

it('calls an event dead after its attempts, with the reason, and lets the others of its batch through', async () => {
  await Promise.all(
    ['evt_a', 'evt_b', 'evt_c'].map((id) =>
      harness.deliver({ id, account: 'acc_1', type: id === 'evt_b' ? 'thing.broken' : 'thing.changed' }),
    ),
  );
  await harness.wakeUp.drain();
  expect(await states()).toEqual([
    { event_id: 'evt_a', status: 'completed', attempts: 1, last_error: null },
    { event_id: 'evt_b', status: 'dead', attempts: 3, last_error: 'Error: this handler is broken' },
    { event_id: 'evt_c', status: 'completed', attempts: 1, last_error: null },
  ]);
  expect(await notes()).toEqual(['evt_a', 'evt_c']);
});

it('keeps of each attempt that failed when, how long, where and why, with the event, and nothing of those that go well', async () => {
  await harness.deliver({ id: 'evt_good', account: 'acc_1' });
  await harness.deliver({ id: 'evt_bad', account: 'acc_1', type: 'thing.broken' });
  await harness.wakeUp.drain();
  const [bad, good] = await harness.rows<{ id: string; failures: { attempt: number }[] | null }>(
    'SELECT id, failures FROM webhook_events ORDER BY event_id',
  );
  expect(good?.failures).toBeNull();
  const attempt = (number: number) => ({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    attempt: number,
    durationMs: expect.any(Number),
    worker: `${hostname()}/${process.pid}`,
    code: 'webhook_handler_failed',
    error: 'Error: this handler is broken',
  });
  expect(bad?.failures).toEqual([1, 2, 3].map(attempt));
  const list = harness.module.get(WebhookEventList, { strict: false });
  expect((await list.find(bad?.id ?? '')).failures).toEqual([1, 2, 3].map(attempt));
  // a replay begins to count anew, and what was before is still to be seen; the number of them is bounded
  const replay = harness.module.get(WebhookReplay, { strict: false });
  for (let time = 0; time < 8; time++) {
    await replay.one(bad?.id ?? '', { name: 'acme/root' });
    await harness.wakeUp.drain();
  }
  const { failures } = await list.find(bad?.id ?? '');
  expect(failures.map((each) => each.attempt)).toEqual([2, 3, ...Array.from({ length: 6 }, () => [1, 2, 3]).flat()]);
});

it('cuts off a handler that hangs, keeps nothing of what it did, and goes on with the others', async () => {
  await Promise.all(
    ['evt_a', 'evt_h'].map((id) => harness.deliver({ id, account: 'acc_1', type: id === 'evt_h' ? 'thing.hangs' : 'thing.changed' })),
  );
  await harness.wakeUp.drain();
  expect(await states()).toEqual([
    { event_id: 'evt_a', status: 'completed', attempts: 1, last_error: null },
    { event_id: 'evt_h', status: 'dead', attempts: 3, last_error: 'DeadlineError: The handler Noting did not end within 0.2 s.' },
  ]);
  expect(await notes()).toEqual(['evt_a']);
});

it('does the rest of a batch one by one when many of it are broken', async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `evt_${String(i).padStart(2, '0')}`);
  await Promise.all(ids.map((id, i) => harness.deliver({ id, account: 'acc_1', type: i % 3 === 0 ? 'thing.broken' : 'thing.changed' })));
  await harness.wakeUp.drain();
  expect(await notes()).toEqual(ids.filter((_, i) => i % 3 !== 0));
  expect(await harness.rows(`SELECT status, count(*)::int AS n FROM webhook_events GROUP BY 1 ORDER BY 1`)).toEqual([
    { status: 'completed', n: 13 },
    { status: 'dead', n: 7 },
  ]);
});

it('keeps an event of an account that nobody connected, completed and without a connection', async () => {
  await harness.deliver({ id: 'evt_u', account: 'acc_unknown', type: 'thing.nobody-handles' });
  await harness.wakeUp.drain();
  expect(await harness.rows('SELECT status, connection_id, tenant FROM webhook_events')).toEqual([
    { status: 'completed', connection_id: null, tenant: null },
  ]);
});

it('gives an event to every connection that its account has', async () => {
  await harness.connect('acc_shared', 'one');
  await harness.connect('acc_shared', 'two');
  await Promise.all([1, 2, 3].map(() => harness.deliver({ id: 'evt_s', account: 'acc_shared' })));
  await harness.wakeUp.drain();
  expect(await harness.rows(`SELECT tenant, status FROM webhook_events ORDER BY tenant`)).toEqual([
    { tenant: 'one', status: 'completed' },
    { tenant: 'two', status: 'completed' },
  ]);
  expect(await harness.rows('SELECT tenant FROM notes ORDER BY tenant')).toEqual([{ tenant: 'one' }, { tenant: 'two' }]);
});

it('keeps the records and the run that a handler asks for with its event, and nothing of one that fails', async () => {
  const connection = await harness.connect('acc_records');
  await harness.deliver({ id: 'evt_r', account: 'acc_records', type: 'thing.brought' });
  await harness.deliver({ id: 'evt_x', account: 'acc_records', type: 'thing.brought', broken: true });
  await harness.wakeUp.drain();
  const of = (sql: string) => harness.rows(sql, [connection]);
  expect(await of('SELECT resource, external_id FROM records WHERE connection_id = $1')).toEqual([
    { resource: 'things', external_id: 'evt_r' },
  ]);
  expect(await of('SELECT trigger, status FROM sync_runs WHERE connection_id = $1')).toEqual([{ trigger: 'webhook', status: 'queued' }]);
});

describe('when a worker dies', () => {
  const abandon = (eventId: string, attempts: number) =>
    harness.rows(
      `UPDATE webhook_events SET status = 'processing', attempts = $2, lease_owner = gen_random_uuid(), lease_until = now() - interval '1 second' WHERE event_id = $1`,
      [eventId, attempts],
    );

  it('takes its events over when the lease is over, not before', async () => {
    await harness.deliver({ id: 'evt_1', account: 'acc_1' });
    await harness.rows(
      `UPDATE webhook_events SET status = 'processing', attempts = 1, lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute'`,
    );
    await harness.wakeUp.drain();
    expect(await notes()).toEqual([]);
    await abandon('evt_1', 1);
    await harness.wakeUp.drain();
    expect(await states()).toEqual([{ event_id: 'evt_1', status: 'completed', attempts: 2, last_error: null }]);
    expect(await notes()).toEqual(['evt_1']);
  });

  it('calls an event dead that was in work each time, without running it again', async () => {
    await harness.deliver({ id: 'evt_killer', account: 'acc_1' });
    await abandon('evt_killer', 3);
    await harness.wakeUp.drain();
    expect(await states()).toEqual([
      {
        event_id: 'evt_killer',
        status: 'dead',
        attempts: 3,
        last_error: 'The process stopped 3 times while it was working on this event.',
      },
    ]);
    expect(await notes()).toEqual([]);
  });
});
