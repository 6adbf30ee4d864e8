import { DataSource } from 'typeorm';
import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import { systemClock } from '../../../clock';
import { DestinationInterest } from '../../notifications/outbox/destination-interest';
import { Outbox } from '../../notifications/outbox/outbox';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { JobEngine } from '../../jobs';
import { DirectProcessing } from './direct-processing';
import { InboxWriter, type RunClaimed } from '../inbox/inbox-writer';
import { StoredPayload } from '../stored-payload';
import { OnWebhook } from './on-webhook.decorator';

/** Notes what it is given; holds still while a test wants it to. */
@OnWebhook('testp', 'thing.changed')
class Noting implements WebhookHandler {
  static held?: Promise<void>;
  static failures = 0;

  async handle({ eventId, payload }: WebhookEvent, { manager, connection }: HandlerContext): Promise<void> {
    await Noting.held;
    await manager.query('INSERT INTO notes (event_id, tenant, said) VALUES ($1, $2, $3)', [
      eventId,
      connection?.tenant ?? null,
      (payload as { said?: string }).said ?? null,
    ]);
    if (Noting.failures-- > 0) throw new Error('not now');
  }
}

@OnWebhook('testp', 'thing.asked')
class Asking implements WebhookHandler<string> {
  prepare(): Promise<string> {
    return Promise.resolve('answer');
  }

  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext, said: string): Promise<void> {
    await manager.query('INSERT INTO notes (event_id, said) VALUES ($1, $2)', [eventId, said]);
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Noting, Asking], processor: { directProcessing: 2, retryBaseMs: 60_000 } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL, tenant text, said text)');
  await harness.connect('acc_a', 'a');
  await harness.connect('acc_b', 'b');
});
afterAll(() => harness.close());
beforeEach(async () => {
  for (const table of ['webhook_events', 'object_marks', 'notes']) await harness.rows(`DELETE FROM ${table}`);
  harness.wakeUp.calls = 0;
  Noting.held = undefined;
  Noting.failures = 0;
});

/** Until what was begun at once has ended; nothing is looked for. */
const ended = () => harness.worker.idle();

const delivery = (id: string, account: string) => ({
  provider: 'testp',
  payload: new StoredPayload({}, Buffer.from('{}')),
  events: [{ eventId: id, type: 'thing.changed', routingKey: account }],
});

const notes = () => harness.rows('SELECT event_id, tenant, said FROM notes ORDER BY event_id');
const events = () => harness.rows('SELECT event_id, status, attempts FROM webhook_events ORDER BY event_id');

/** Keeps the handlers from going on until it is called. */
function hold(): () => void {
  let go: () => void = () => undefined;
  Noting.held = new Promise((resolve) => (go = resolve));
  return go;
}

it('runs an event without anybody having to look for it', async () => {
  await harness.deliver({ id: 'one', account: 'acc_a', said: 'hello', object: 'thing/1', version: 3 });
  await ended();
  expect(harness.wakeUp.calls).toBe(0);
  expect(await notes()).toEqual([{ event_id: 'one', tenant: 'a', said: 'hello' }]);
  expect(await events()).toEqual([{ event_id: 'one', status: 'completed', attempts: 1 }]);
  expect(await harness.rows('SELECT object_key, version FROM object_marks')).toEqual([{ object_key: 'thing/1', version: '3' }]);
});

it('does nothing for an event that is known', async () => {
  await harness.deliver({ id: 'one', account: 'acc_a' });
  await ended();
  await harness.deliver({ id: 'one', account: 'acc_a' });
  await ended();
  expect(await notes()).toHaveLength(1);
  expect(await events()).toEqual([{ event_id: 'one', status: 'completed', attempts: 1 }]);
});

it('leaves one that failed to a later attempt', async () => {
  Noting.failures = 1;
  await harness.deliver({ id: 'one', account: 'acc_a' });
  await ended();
  expect(await notes()).toEqual([]);
  expect(await events()).toEqual([{ event_id: 'one', status: 'failed', attempts: 1 }]);
});

it('leaves a backlog, and what asks its provider first, to the loop', async () => {
  const backlog = Array.from({ length: 12 }, (_, n) => ({ id: `many_${String(n).padStart(2, '0')}`, account: 'acc_a' }));
  // the first is written alone, the others come together while it is
  await Promise.all([...backlog, { id: 'asked', account: 'acc_b', type: 'thing.asked' }].map((body) => harness.deliver(body)));
  expect(harness.wakeUp.calls).toBeGreaterThan(0);
  await harness.settled();
  await harness.wakeUp.drain();
  await harness.settled();
  expect(await notes()).toHaveLength(13);
  expect((await events()).filter(({ status, attempts }) => status !== 'completed' || attempts !== 1)).toEqual([]);
});

it('works for a source once at a time, so that there is room for others', async () => {
  const directProcessing = harness.module.get(DirectProcessing);
  const first = directProcessing.choose([delivery('a1', 'acc_a')]);
  expect(first?.deliveries.size).toBe(1);
  expect(directProcessing.choose([delivery('a2', 'acc_a')])).toBeUndefined();
  const mixed = [delivery('a3', 'acc_a'), delivery('b1', 'acc_b')] as const;
  const second = directProcessing.choose(mixed);
  expect([...(second?.deliveries ?? [])]).toEqual([mixed[1]]);
  expect(directProcessing.choose([delivery('c1', 'acc_c')])).toBeUndefined(); // two run
  for (const run of [first, second]) if (run) directProcessing.release(run);
  const third = directProcessing.choose([delivery('a4', 'acc_a')]);
  expect(third?.deliveries.size).toBe(1);
  if (third) directProcessing.release(third);
});

it('bounds what is stored at the same time where the product is told of it as well, though nothing runs at once then', async () => {
  const directProcessing = harness.module.get(DirectProcessing);
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  const outbox = new (class extends Outbox {
    override wants = () => Promise.resolve(true);
    override add = () => held;
  })(new DestinationInterest(systemClock));
  const writer = new InboxWriter(harness.module.get(DataSource), harness.wakeUp, directProcessing, systemClock, outbox);
  const stored: Promise<void>[] = [];
  for (const account of ['acc_a', 'acc_b']) {
    stored.push(writer.store(delivery(`told_${account}`, account)));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  const third = directProcessing.choose([delivery('told_c', 'acc_c')]);
  go();
  await Promise.all(stored);
  const afterwards = directProcessing.choose([delivery('told_d', 'acc_a')]);
  for (const run of [third, afterwards]) if (run) directProcessing.release(run);
  expect([third, afterwards?.deliveries.size]).toEqual([undefined, 1]);
  expect((await events()).map(({ status }) => status)).toEqual(['received', 'received']);
});

it('is left to the others when the process dies on the way: the claim ends with its lease', async () => {
  const writer = harness.module.get(InboxWriter);
  const inbox = harness.inbox as unknown as { runStored: RunClaimed };
  writer.onClaimed(() => Promise.resolve()); // stored and claimed, and then nothing
  try {
    await harness.deliver({ id: 'orphan', account: 'acc_a', said: 'still here' });
  } finally {
    writer.onClaimed((owner, stored) => inbox.runStored(owner, stored));
  }
  expect(await events()).toEqual([{ event_id: 'orphan', status: 'processing', attempts: 1 }]);
  await harness.wakeUp.drain();
  expect(await notes()).toEqual([]);
  await harness.rows(`UPDATE webhook_events SET lease_until = now() - interval '1 second'`);
  await harness.wakeUp.drain();
  await harness.settled();
  expect(await notes()).toEqual([{ event_id: 'orphan', tenant: 'a', said: 'still here' }]);
  expect(await events()).toEqual([{ event_id: 'orphan', status: 'completed', attempts: 2 }]);
});

// The embedded database has one connection: there, nothing is stored while a handler holds still.
const onServer = process.env.TEST_DATABASE_URL ? it : it.skip;

onServer('does not wait for the backlog of others to be stored', async () => {
  const held = harness.module.get(DataSource).createQueryRunner();
  await held.startTransaction();
  // Who stores the same event waits for this transaction to end.
  await held.query(
    `INSERT INTO webhook_events (id, provider, event_id, type, routing_key, connection_id, tenant)
     SELECT gen_random_uuid(), 'testp', event_id, 'thing.changed', 'acc_a', c.id, c.tenant
     FROM connections c, unnest(ARRAY['a_0', 'a_20']) AS event_id WHERE c.routing_key = 'acc_a'`,
  );
  const backlog: Promise<unknown>[] = [];
  for (const from of [0, 20]) {
    for (let n = from; n < from + 20; n++) backlog.push(harness.deliver({ id: `a_${n}`, account: 'acc_a' }));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  await harness.deliver({ id: 'single', account: 'acc_b' });
  await ended();
  const meanwhile = await notes();
  await held.rollbackTransaction();
  await held.release();
  expect(meanwhile).toEqual([{ event_id: 'single', tenant: 'b', said: null }]);
  await Promise.all(backlog);
  await harness.settled();
  expect(await notes()).toHaveLength(41);
});

onServer('begins nothing while another worker’s event waits to be taken over, and nothing once the process is to stop', async () => {
  await harness.deliver({ id: 'orphan', account: 'acc_b', type: 'thing.unheard' });
  await ended();
  const go = hold();
  await harness.deliver({ id: 'running', account: 'acc_a' });
  await harness.rows(
    `UPDATE webhook_events SET status = 'processing', lease_owner = gen_random_uuid(), lease_until = now() - interval '1 second' WHERE event_id = 'orphan'`,
  );
  await harness.worker.look(); // finds the orphan, and that it has to wait for what runs
  expect(harness.worker.inWork.map(({ kind }) => kind)).toEqual(['direct']);
  await harness.deliver({ id: 'meanwhile', account: 'acc_b' });
  const during = await harness.rows(`SELECT status FROM webhook_events WHERE event_id IN ('meanwhile', 'orphan') ORDER BY event_id`);
  const kinds: string[] = [];
  const { run } = harness.inbox;
  harness.inbox.run = (job, signal) => {
    kinds.push(job.kind);
    return run.call(harness.inbox, job, signal);
  };
  go();
  await harness.settled();
  harness.inbox.run = run;
  expect(during).toEqual([{ status: 'received' }, { status: 'processing' }]);
  expect(kinds).toEqual(['orphan', 'batch']); // alone, and then what came meanwhile
  expect(harness.wakeUp.calls).toBeGreaterThan(0);
  expect((await notes()).map(({ event_id: id }) => id)).toEqual(['meanwhile', 'running']);
  expect((await events()).map(({ status, attempts }) => [status, attempts])).toEqual([
    ['completed', 1],
    ['completed', 2],
    ['completed', 1],
  ]);

  const goOn = hold();
  await harness.deliver({ id: 'stopping', account: 'acc_a' });
  const stopped = harness.module.get(JobEngine).beforeApplicationShutdown();
  await harness.deliver({ id: 'too_late', account: 'acc_b' });
  goOn();
  await stopped;
  expect((await notes()).map(({ event_id: id }) => id)).toEqual(['meanwhile', 'running', 'stopping']);
  expect(await harness.rows(`SELECT status, attempts FROM webhook_events WHERE event_id = 'too_late'`)).toEqual([
    { status: 'received', attempts: 0 },
  ]);
});
