import { createHash } from 'node:crypto';
import { createWebhookHarness, SECRET, testProvider, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookFacts, WebhookHandler } from '../../contract';
import { OnWebhook } from '../processing/on-webhook.decorator';
import { rawDelivery, signedDelivery } from '../testing';

interface Batch {
  readonly events: readonly { readonly id: string; readonly account?: string; readonly text: string }[];
}

const batching = testProvider('batching', {
  ...(testProvider('batching').webhooks as WebhookFacts),
  parse: ({ body }) => ({
    events: (JSON.parse(body.toString('utf8')) as Batch).events.map(({ id, account = 'acc' }) => ({
      eventId: id,
      type: 'item.changed',
      routingKey: account,
    })),
  }),
});

@OnWebhook('batching', 'item.changed')
class Noting implements WebhookHandler<Batch> {
  static spoils = false;

  async handle({ eventId, payload }: WebhookEvent<Batch>, { manager }: HandlerContext): Promise<void> {
    const own = payload.events.find(({ id }) => id === eventId);
    await manager.query('INSERT INTO notes (event_id, chars) VALUES ($1, $2)', [eventId, own?.text.length]);
    if (Noting.spoils) (payload as { events: unknown }).events = [];
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [Noting], providers: [batching], settings: { webhookMaxAttempts: 1 } });
  await harness.rows('CREATE TABLE notes (event_id text NOT NULL, chars integer)');
  await harness.connect('acc', 'acme', 'batching');
});
afterAll(() => harness.close());
beforeEach(async () => {
  for (const table of ['webhook_events', 'webhook_payloads', 'notes']) await harness.rows(`DELETE FROM ${table}`);
  Noting.spoils = false;
});

const batchOf = (count: number, chars: number, name = 'evt'): Batch => ({
  events: Array.from({ length: count }, (_, n) => ({ id: `${name}_${n}`, text: 'x'.repeat(chars) })),
});
const send = (batch: Batch) =>
  harness.inbox.receive('batching', rawDelivery(signedDelivery({ as: 'stripe', secret: SECRET, body: batch })));
const payloads = () =>
  harness.rows<{ bytes: number; md5: string }>('SELECT length(body)::int AS bytes, md5(body) AS md5 FROM webhook_payloads ORDER BY id');
const count = async (sql: string) => (await harness.rows<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`))[0]?.n;

it('stores the body of two hundred events in one delivery once, and every event finds its own in it', async () => {
  const batch = batchOf(200, 1_350);
  const body = Buffer.from(JSON.stringify(batch));
  expect(body.length).toBeGreaterThan(270_000);
  await send(batch);
  expect(await payloads()).toEqual([{ bytes: body.length, md5: createHash('md5').update(body).digest('hex') }]);
  expect(await count('webhook_events')).toBe(200);
  await harness.settled();
  expect(await count(`notes WHERE chars = 1350`)).toBe(200);
  expect(await count(`webhook_events WHERE status = 'completed' AND attempts = 1`)).toBe(200);
});

it('takes five hundred events of 695 KB, and five thousand', async () => {
  await expect(send(batchOf(500, 1_350))).resolves.toMatchObject({ status: 200 });
  await expect(send(batchOf(5_000, 100, 'more'))).resolves.toMatchObject({ status: 200 });
  expect(await count('webhook_events')).toBe(5_500);
  expect(await payloads()).toHaveLength(2);
});

it('says of what can never be taken that it is too large, not that it may come again', async () => {
  await expect(send(batchOf(10_001, 1))).rejects.toMatchObject({ code: 'payload_too_large', status: 413 });
  expect(await count('webhook_events')).toBe(0);
});

it('stores the body once for all connections of the account', async () => {
  await harness.connect('acc_shared', 'one', 'batching');
  await harness.connect('acc_shared', 'two', 'batching');
  await send({ events: [{ id: 'shared', account: 'acc_shared', text: 'x' }] });
  expect(await count('webhook_events')).toBe(2);
  expect(await payloads()).toHaveLength(1);
});

it('stores no body again where all of its events are known, and one with those that are new', async () => {
  await send(batchOf(2, 10));
  await send(batchOf(2, 10));
  expect(await payloads()).toHaveLength(1);
  await send(batchOf(3, 10));
  expect(await payloads()).toHaveLength(2);
  await harness.settled();
  expect(await count('notes WHERE chars = 10')).toBe(3);
});

it('lets no handler change what the others of its delivery read', async () => {
  Noting.spoils = true;
  await send(batchOf(2, 10));
  await harness.settled();
  const states = await harness.rows('SELECT status, last_error FROM webhook_events');
  expect(states).toEqual(Array(2).fill({ status: 'dead', last_error: expect.stringMatching(/^TypeError: .*read only/) as string }));
});
