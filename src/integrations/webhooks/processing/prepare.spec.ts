import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import { IntegrationError } from '../../../errors';
import { JobEngine } from '../../jobs';
import type { ConnectionRef, HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { OnWebhook } from './on-webhook.decorator';

/** The pretend provider's object, and a way to stop between reading it and giving it out. */
const remote = { state: 'first', reads: 0, gates: new Map<string, Promise<void>>() };

/** Reads the object anew before it stores it. */
@OnWebhook('testp', 'thing.read')
class Refetching implements WebhookHandler<{ id: string; object: string }, string> {
  async prepare({ eventId }: WebhookEvent): Promise<string> {
    const { state } = remote;
    remote.reads++;
    const gate = remote.gates.get(eventId);
    remote.gates.delete(eventId);
    await gate;
    return state;
  }

  async handle({ payload }: WebhookEvent<{ object: string }>, { manager }: HandlerContext, state: string): Promise<void> {
    await manager.query('INSERT INTO states (object, state) VALUES ($1, $2) ON CONFLICT (object) DO UPDATE SET state = excluded.state', [
      payload.object,
      state,
    ]);
  }
}

@OnWebhook('testp', 'thing.slow')
class Slow implements WebhookHandler {
  static handled = 0;
  async prepare(_event: WebhookEvent, { signal }: { connection: ConnectionRef; signal: AbortSignal }): Promise<void> {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
  async handle(): Promise<void> {
    Slow.handled++;
  }
}

@OnWebhook('testp', 'thing.limited')
class Limited implements WebhookHandler {
  prepare(): Promise<void> {
    return Promise.reject(new IntegrationError('provider_rate_limited', { retryAfterMs: 90_000 }));
  }
  async handle(): Promise<void> {}
}

/** Of the same type as another handler: both run. */
@OnWebhook('testp', 'thing.read', 'thing.quick')
class AlsoCalled implements WebhookHandler {
  static calls: string[] = [];
  async handle({ eventId }: WebhookEvent): Promise<void> {
    AlsoCalled.calls.push(eventId);
  }
}

@OnWebhook('testp', 'thing.uninstalled')
class Revoking implements WebhookHandler {
  async handle(_event: WebhookEvent, context: HandlerContext): Promise<void> {
    await context.markRevoked({ code: 'needs_reauth', providerCode: 'app_uninstalled' });
  }
}

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({
    handlers: [Refetching, Slow, Limited, AlsoCalled, Revoking],
    settings: { webhookMaxAttempts: 2 },
    processor: { prepareTimeoutMs: 300, preparing: 2 },
  });
  await harness.rows('CREATE TABLE states (object text PRIMARY KEY, state text)');
});
beforeEach(async () => {
  for (const table of ['webhook_events', 'object_marks', 'connections', 'states']) await harness.rows(`DELETE FROM ${table}`);
  await harness.connect('acc');
  Object.assign(remote, { state: 'first', reads: 0, gates: new Map() });
  AlsoCalled.calls = [];
  Slow.handled = 0;
});
afterAll(() => harness.close());

const deliver = (id: string, type: string, version?: number) => harness.deliver({ id, type, account: 'acc', object: 'o', version });
const states = () => harness.rows('SELECT event_id, status, attempts, error_code FROM webhook_events ORDER BY event_id');

it('asks the provider before the transaction, and calls each handler of the type once', async () => {
  await deliver('e1', 'thing.read', 1);
  await harness.settled();
  expect(await harness.rows('SELECT object, state FROM states')).toEqual([{ object: 'o', state: 'first' }]);
  expect(AlsoCalled.calls).toEqual(['e1']);
  expect(await states()).toEqual([{ event_id: 'e1', status: 'completed', attempts: 1, error_code: null }]);
});

it('asks again where another event of the object took effect meanwhile: an old answer never overwrites a newer one', async () => {
  let open = () => undefined as void;
  remote.gates.set('e2', new Promise((resolve) => (open = resolve)));
  await deliver('e2', 'thing.read', 5); // reads 'first' and is held up
  await harness.wakeUp.drain();
  remote.state = 'second';
  await deliver('e1', 'thing.read', 5); // of the same second, with a lower id: both are valid
  await harness.wakeUp.drain();
  for (let waited = 0; waited < 2_000 && (await harness.rows('SELECT 1 FROM states')).length === 0; waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10));
  open();
  await harness.settled();
  expect(await harness.rows('SELECT object, state FROM states')).toEqual([{ object: 'o', state: 'second' }]);
  expect(remote.reads).toBe(3);
});

it('lets others pass while a provider is slow, and cuts it off at its deadline', async () => {
  await deliver('e_slow', 'thing.slow');
  await harness.wakeUp.drain();
  await deliver('e_quick', 'thing.quick');
  await harness.wakeUp.drain();
  expect(await states()).toEqual([
    { event_id: 'e_quick', status: 'completed', attempts: 1, error_code: null },
    { event_id: 'e_slow', status: 'processing', attempts: 1, error_code: null },
  ]);
  await harness.settled();
  await harness.settled();
  expect(await states()).toEqual([
    expect.anything(),
    { event_id: 'e_slow', status: 'dead', attempts: 2, error_code: 'webhook_handler_failed' },
  ]);
  expect(Slow.handled).toBe(0);
});

it('waits as long as the provider asks', async () => {
  await deliver('e1', 'thing.limited');
  await harness.settled();
  const [row] = await harness.rows<{ status: string; error_code: string; wait: number }>(
    'SELECT status, error_code, extract(epoch FROM next_attempt_at - now())::float8 AS wait FROM webhook_events',
  );
  expect(row).toMatchObject({ status: 'failed', error_code: 'provider_rate_limited' });
  expect(row?.wait).toBeGreaterThan(80);
});

it('marks a connection revoked together with the event, and not for what came before it was connected again', async () => {
  await deliver('e1', 'thing.uninstalled');
  await harness.rows(`UPDATE connections SET connected_at = now() + interval '1 hour'`);
  await harness.settled();
  expect(await harness.rows('SELECT status FROM connections')).toEqual([{ status: 'connected' }]);
  await harness.rows(`UPDATE connections SET connected_at = now() - interval '1 hour'`);
  await deliver('e2', 'thing.uninstalled');
  await harness.settled();
  expect(await harness.rows('SELECT status, error_code, error_provider_code FROM connections')).toEqual([
    { status: 'needs_reauth', error_code: 'needs_reauth', error_provider_code: 'app_uninstalled' },
  ]);
});

it('gives back what is not done when the process stops, without charging the attempt', async () => {
  await Promise.all(['e1', 'e2', 'e3', 'e4'].map((id) => deliver(id, 'thing.slow')));
  await harness.wakeUp.drain();
  await harness.module.get(JobEngine).beforeApplicationShutdown();
  expect(await states()).toEqual(
    ['e1', 'e2', 'e3', 'e4'].map((event_id) => ({ event_id, status: 'received', attempts: 0, error_code: null })),
  );
});
