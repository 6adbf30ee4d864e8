import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { DeliveryClaims } from './delivery-claims';
import { DELIVERY_DEFAULTS } from './delivery-options';
import { DestinationTurns } from './destination-turns';
import { HttpReceiver } from './testing/http-receiver';
import { NotificationProcess, StillClock } from './testing/notification-process';

const { perDestination, claimedAhead } = DELIVERY_DEFAULTS;
const WAITING = 100;

let database: TestDatabase;
let receiver: HttpReceiver;
let process: NotificationProcess;
let held: ServerResponse[];

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
  held = [];
  for (const table of ['outbox', 'destinations']) await database.dataSource.query(`DELETE FROM ${table}`);
  process = new NotificationProcess(database, { clock: new StillClock() });
});
afterEach(() => process.close());

const counted = async () => {
  const rows = await database.dataSource.query<{ status: string; attempts: number; count: number }[]>(
    'SELECT status, attempts, count(*)::int FROM deliveries GROUP BY 1, 2 ORDER BY 1, 2',
  );
  return Object.fromEntries(rows.map(({ status, attempts, count }) => [`${status} ${attempts}`, count]));
};

const until = async (holds: () => boolean) => {
  for (const end = Date.now() + 30_000; !holds();) {
    if (Date.now() > end) throw new Error('did not come to be within 30 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** One was taken quickly; then many wait, and no answer is given. */
async function manyWaiting(count = WAITING): Promise<void> {
  await process.destination(receiver.url('/a'));
  await process.happens();
  await process.deliver();
  receiver.answers.set('/a', (response) => held.push(response));
  for (let i = 0; i < count; i++) await process.happens({ data: { n: i } });
  await process.worker.wake();
  await until(() => held.length === perDestination);
}

it('claims ahead for a destination that answers quickly, and sends it no more at once for that', async () => {
  await manyWaiting();
  expect(await counted()).toEqual({ 'delivered 1': 1, 'pending 0': WAITING - claimedAhead, 'sending 1': claimedAhead });
  for (let answered = 0; answered < WAITING;) {
    await until(() => held.length > 0);
    expect(held.length).toBeLessThanOrEqual(perDestination);
    for (const response of held.splice(0)) {
      response.writeHead(204).end();
      answered++;
    }
  }
  await process.worker.idle();
  expect(await counted()).toEqual({ 'delivered 1': 1 + WAITING });
  const ids = receiver.at('/a').map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(1 + WAITING);
  expect(ids).toHaveLength(1 + WAITING);
});

it('claims many at a time, not for each that was taken', async () => {
  await manyWaiting(4 * WAITING);
  const claims = jest.spyOn(DeliveryClaims.prototype, 'due');
  receiver.answers.delete('/a');
  for (const response of held.splice(0)) response.writeHead(204).end();
  await process.worker.idle();
  expect(await counted()).toEqual({ 'delivered 1': 1 + 4 * WAITING });
  const brought = (await Promise.all(claims.mock.results.map(({ value }) => value as Promise<unknown[]>))).map(({ length }) => length);
  const withMore = brought.filter((_, index) => brought.slice(index + 1).some((count) => count > 0));
  expect(withMore.length).toBeGreaterThan(3);
  expect(Math.min(...withMore)).toBeGreaterThan(claimedAhead - 2 * perDestination);
  claims.mockRestore();
});

it('gives back untried what it claimed ahead when the destination fails', async () => {
  await manyWaiting();
  receiver.answers.set('/a', 503);
  for (const response of held.splice(0)) response.writeHead(503).end();
  await process.worker.idle();
  const sent = receiver.at('/a').length - 1;
  // those that were under way, and one at a time of those that look whether it is back
  expect(sent).toBeLessThan(2 * perDestination);
  expect(await counted()).toEqual({ 'delivered 1': 1, 'pending 0': WAITING - sent, 'pending 1': sent });
});

it('sends a test at once, whatever waits before it', async () => {
  await manyWaiting();
  const [destination] = await database.dataSource.query<{ id: string }[]>('SELECT id FROM destinations');
  const tested = process.tester.test(destination!.id, 'acme');
  await until(() => held.length === perDestination + 1);
  held.pop()!.writeHead(204).end();
  expect(await tested).toMatchObject({ status: 'delivered' });
  receiver.answers.set('/a', 204);
  for (const response of held.splice(0)) response.writeHead(204).end();
  await process.worker.idle();
});

it('gives back untried what it claimed ahead when the process stops', async () => {
  await manyWaiting();
  const stopped = process.worker.stop();
  process.worker.abort(() => true, new Error('the time of the stop is over'));
  await stopped;
  expect(await counted()).toEqual({ 'delivered 1': 1, 'pending 0': WAITING });
});

describe('the turns of destinations', () => {
  const signal = new AbortController().signal;

  it('go round: a destination with many waiting lets another one in between', async () => {
    const turns = new DestinationTurns({ perDestination: 1, inFlight: 1 });
    const order: string[] = [];
    const enter = (id: string) => turns.enter(id, signal).then(() => order.push(id));
    await enter('a');
    const all = [enter('a'), enter('a'), enter('b')];
    for (let i = 0; i < all.length; i++) {
      turns.leave(order.at(-1)!);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    expect(order).toEqual(['a', 'a', 'b', 'a']);
  });

  it('forget a destination that has nothing more', async () => {
    const turns = new DestinationTurns({ perDestination: 1, inFlight: 1 });
    await turns.enter('a', signal);
    const ended = new AbortController();
    const waits = turns.enter('a', ended.signal);
    expect(turns.waiting('a')).toBe(1);
    ended.abort(new Error('ended'));
    await expect(waits).rejects.toThrow('ended');
    turns.leave('a');
    expect([turns.waiting('a'), Reflect.get(turns, 'destinations')]).toEqual([0, new Map()]);
  });
});
