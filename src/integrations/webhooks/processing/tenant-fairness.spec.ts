import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
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

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([2, 3])('with %i lanes', (lanes) => {
  let harness: WebhookHarness;
  beforeAll(async () => {
    harness = await createWebhookHarness({ handlers: [Counting], processor: { batchSize: BATCH, lanes } });
    await harness.rows('CREATE TABLE notes (event_id text NOT NULL)');
    await harness.connect('acc_big', 'big');
  });
  afterAll(() => harness.close());

  /** All lanes are rung all the time until the backlog is worked off. @returns how many worked at the same time */
  async function workOff(name: string, backlog: number): Promise<number> {
    Counting.most = 0;
    await Promise.all(Array.from({ length: backlog }, (_, n) => harness.deliver({ id: `${name}_${n}`, account: 'acc_big' })));
    let done = 0;
    const lane = async () => {
      while (done < backlog) {
        await harness.wakeUp.drain();
        await pause(1);
        const sql = 'SELECT count(*)::int AS notes, count(DISTINCT event_id)::int AS events FROM notes WHERE event_id LIKE $1';
        const [found] = await harness.rows<{ notes: number; events: number }>(sql, [`${name}_%`]);
        expect(found?.notes).toBe(found?.events);
        done = found?.notes ?? 0;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    expect(done).toBe(backlog);
    return Counting.most;
  }

  it("keeps one of them free of a tenant's backlog, however often it rings", async () => {
    expect(await workOff('quick', 15 * BATCH)).toBeLessThan(lanes);
  });

  it('does so where a claim is still under way when the batch before it is done', async () => {
    const claims = harness.module.get(EventClaims);
    const { due } = claims;
    claims.due = async (query) => {
      await pause(4);
      return due.call(claims, query);
    };
    try {
      expect(await workOff('slow', 6 * BATCH)).toBeLessThan(lanes);
    } finally {
      claims.due = due;
    }
  });

  it('calls another one to a backlog, where two may work on it', async () => {
    await Promise.all(Array.from({ length: 3 * BATCH }, (_, n) => harness.deliver({ id: `called_${n}`, account: 'acc_big' })));
    harness.wakeUp.calls = 0;
    await harness.wakeUp.drain();
    expect(harness.wakeUp.calls > 0).toBe(lanes > 2);
  });

  it('does so for the few at the end of the backlog', async () => {
    expect(await workOff('last', 3 * BATCH + 2)).toBeLessThan(lanes);
  });
});
