import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { requestContext } from '../../request-context';
import { HttpReceiver } from './testing/http-receiver';
import { NotificationProcess, StillClock } from './testing/notification-process';

let database: TestDatabase;
let receiver: HttpReceiver;
let process: NotificationProcess;

beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  receiver = await HttpReceiver.start();
});
afterAll(async () => {
  await receiver.close();
  await database.close();
});
beforeEach(async () => {
  receiver.reset();
  for (const table of ['outbox', 'destinations']) await database.dataSource.query(`DELETE FROM ${table}`);
  process = new NotificationProcess(database, { clock: new StillClock() });
});
afterEach(() => process.close());

const rows = <T = Record<string, unknown>>(sql: string, params: unknown[] = []): Promise<T[]> => database.dataSource.query(sql, params);

it('sends what waits at once when a destination is back, but for what has failed again and again', async () => {
  await process.destination(receiver.url('/a'));
  receiver.answers.set('/a', 503);
  for (let i = 0; i < 5; i++) await process.happens();
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(5);
  const [stubborn, probe] = await rows<{ id: string }>('SELECT id FROM deliveries ORDER BY id LIMIT 2');
  await rows('UPDATE deliveries SET attempts = 9 WHERE id = $1', [stubborn?.id]);
  await rows('UPDATE deliveries SET next_attempt_at = now() WHERE id = $1', [probe?.id]);
  await rows('UPDATE destinations SET retry_at = NULL');
  receiver.answers.set('/a', 204);
  await process.deliver();
  expect(receiver.at('/a')).toHaveLength(9);
  const left = await process.deliveries.list({ status: 'pending', limit: 10 });
  expect(left.map(({ id }) => id)).toEqual([stubborn?.id]);
});

it('stores many outcomes in one commit, and each of its own', async () => {
  await process.destination(receiver.url('/a'));
  for (let i = 0; i < 40; i++) await process.happens({ data: { n: i } });
  const query = jest.spyOn(Client.prototype, 'query');
  while ((await process.deliveries.list({ status: 'pending', limit: 1 })).length > 0) await process.deliver();
  const marks = query.mock.calls.filter(([statement]) => (statement as unknown as { name?: string }).name === 'mark_delivered');
  query.mockRestore();
  expect(receiver.at('/a')).toHaveLength(40);
  expect(marks.length).toBeLessThan(40);
  expect(await rows('SELECT status, attempts, count(*)::int FROM deliveries GROUP BY 1, 2')).toEqual([
    { status: 'delivered', attempts: 1, count: 40 },
  ]);
});

it('stores the outcomes of every organization, whoever asked for the first of them', async () => {
  const caller = { tenant: 'acme', userId: 'boss', role: 'admin' as const };
  for (const tenant of ['acme', 'umbrella']) {
    await process.destination(receiver.url(`/${tenant}`), {}, tenant);
    await process.happens({ tenant });
  }
  const claimed = await process.claims.due({ good: 10, doubtful: 10, slow: [], quick: [], lease: randomUUID(), busy: new Map() });
  const [mine, theirs] = ['acme', 'umbrella'].map((tenant) => claimed.find((one) => one.tenant === tenant));
  const result = { at: new Date(), durationMs: 1, status: 204 };
  const stored = await Promise.all([
    // as a test of a destination, within an administrator's request
    requestContext.run({ requestId: 'r', principal: caller }, () => process.claims.delivered(mine!, result)),
    process.claims.delivered(theirs!, result),
  ]);
  expect(stored).toEqual([true, true]);
  expect(await rows(`SELECT DISTINCT status FROM deliveries`)).toEqual([{ status: 'delivered' }]);
});
