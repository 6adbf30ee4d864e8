import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import type { HandlerContext, WebhookEvent, WebhookHandler } from '../../contract';
import { OnWebhook } from './on-webhook.decorator';

/** How the object is at the provider. */
let present = '';

/** Reads the object anew. */
@OnWebhook('testp', 'read.*')
class Reading implements WebhookHandler<unknown, string> {
  prepare(): Promise<string> {
    return Promise.resolve(present);
  }
  async handle(_event: WebhookEvent, { manager }: HandlerContext, read: string): Promise<void> {
    await manager.query(`INSERT INTO held (what) VALUES ($1)`, [read]);
  }
}

/** Takes what the event carries, and asks for a look where that may be old. */
@OnWebhook('testp', 'carried.*')
class Carrying implements WebhookHandler<{ id: string }> {
  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    await manager.query(`INSERT INTO held (what) VALUES ($1)`, [eventId]);
  }
  async handleTie({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    await manager.query(`INSERT INTO held (what) VALUES ($1)`, [`look for ${eventId}`]);
  }
}

describe('two events of one object with the same version', () => {
  let harness: WebhookHarness;
  beforeAll(async () => {
    harness = await createWebhookHarness({ handlers: [Reading, Carrying] });
    await harness.rows('CREATE TABLE held (n serial, what text)');
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.rows('DELETE FROM held'));

  const held = async () => (await harness.rows<{ what: string }>('SELECT what FROM held ORDER BY n')).map(({ what }) => what);
  const come = async (type: string, account: string, id: string, version = 1) => {
    await harness.deliver({ id, type, account, object: 'o', version });
    await harness.wakeUp.drain();
    await harness.settled();
  };

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('are both read anew where the object can be asked for, the later one too (%s, then %s)', async (first, second) => {
    const account = `read_${first}`;
    await harness.connect(account);
    present = 'before';
    await come('read.changed', account, `${account}_${first}`);
    present = 'after';
    await come('read.changed', account, `${account}_${second}`);
    expect(await held()).toEqual(['before', 'after']);
    await come('read.changed', account, `${account}_c`, 0);
    expect(await held()).toEqual(['before', 'after']);
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('have a look asked for where the event carries the object (%s, then %s)', async (first, second) => {
    const account = `carried_${first}`;
    await harness.connect(account);
    await come('carried.changed', account, `${account}_${first}`);
    await come('carried.changed', account, `${account}_${second}`);
    expect(await held()).toEqual([`${account}_${first}`, `look for ${account}_${second}`]);
    await come('carried.changed', account, `${account}_c`, 2);
    expect(await held()).toContain(`${account}_c`);
  });
});
