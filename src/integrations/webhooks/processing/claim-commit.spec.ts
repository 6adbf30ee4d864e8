import { createWebhookHarness, type WebhookHarness } from '../../../../test/support/webhook-harness';
import { CLAIM_DUE } from './claim.queries';

let harness: WebhookHarness;
beforeAll(async () => (harness = await createWebhookHarness()));
afterAll(() => harness.close());

const OWNER = '00000000-0000-7000-8000-000000000001';

it('claims without waiting for the disk of a server, and lets what comes after it on the same connection wait again', async () => {
  await harness.deliver({ id: 'evt_1' });
  const runner = harness.dataSource.createQueryRunner(); // one connection
  const setting = async () => ((await runner.query(`SELECT current_setting('synchronous_commit') AS now`)) as { now: string }[])[0]?.now;
  try {
    await runner.query(`SET synchronous_commit TO on`);
    await runner.startTransaction();
    const claimed = (await runner.query(CLAIM_DUE, [10, '', false, [], OWNER, 60, []])) as { event_id: string }[];
    expect(claimed.map((row) => row.event_id)).toEqual(['evt_1']);
    // The embedded database writes at the commit or not at all, and an attempt that a kill ended must count.
    expect(await setting()).toBe(harness.database.kind === 'server' ? 'off' : 'on');
    await runner.commitTransaction();
    expect(await setting()).toBe('on');
  } finally {
    await runner.release();
  }
});
