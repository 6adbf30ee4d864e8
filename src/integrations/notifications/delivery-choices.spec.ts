import { Logger } from '@nestjs/common';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { requestContext } from '../../request-context';
import { matches } from './outbox/match';
import { HttpReceiver } from './testing/http-receiver';
import { NotificationProcess, StillClock, testBox } from './testing/notification-process';

const CONNECTION = '0197a000-0000-7000-8000-000000000001';

let database: TestDatabase;
let receiver: HttpReceiver;
let process: NotificationProcess;
let other: NotificationProcess;
const box = testBox();

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
  for (const table of ['outbox_payloads', 'outbox', 'destinations']) await database.dataSource.query(`DELETE FROM ${table}`);
  const clock = new StillClock();
  process = new NotificationProcess(database, { clock, box });
  other = new NotificationProcess(database, { clock, box });
});
afterEach(() => Promise.all([process.close(), other.close()]));

jest.setTimeout(60_000);

interface Message {
  readonly type: string;
  readonly tenant: string | null;
  readonly data: { readonly object: string; readonly n: number };
}
const told = (path: string): Message[] => receiver.at(path).map(({ body }) => JSON.parse(body.toString()) as Message);
/** As a request of this organization does it: its statements reach no other's rows. */
const asCallerOf = <T>(tenant: string, work: () => Promise<T>): Promise<T> =>
  requestContext.run({ requestId: 'r', principal: { tenant, userId: 'u', role: 'user' } }, work);

describe('a destination that chooses by content', () => {
  it('gets the messages that have one of the values at each path', async () => {
    await process.destination(receiver.url('/slack'), { match: { 'data.provider': ['slack', 'p2'], 'data.payload.kind': ['a'] } });
    await process.destination(receiver.url('/all'));
    for (const [provider, kind] of [
      ['slack', 'a'],
      ['slack', 'b'],
      ['stripe', 'a'],
      ['p2', 'a'],
    ])
      await process.happens({ provider, connectionId: CONNECTION, payload: { value: { kind } } });
    await process.happens({ provider: 'slack' });
    await process.deliver();
    expect(told('/all')).toHaveLength(5);
    expect(told('/slack')).toMatchObject([{ data: { provider: 'slack', payload: { kind: 'a' } } }, { data: { provider: 'p2' } }]);
  });

  it.each([
    [{ 'data.a': [1, 'x'] }, { data: { a: 'x' } }, true],
    [{ 'data.a': [1] }, { data: { a: '1' } }, false],
    [{ 'data.a.b': [true] }, { data: { a: { b: true } } }, true],
    [{ 'data.a.b': [true] }, { data: { a: 'text' } }, false],
    [{ 'data.a': ['x'] }, { data: { a: ['y', 'x'] } }, true],
    [{ 'data.a': [null] }, { data: {} }, true],
    [{ 'data.__proto__': ['x'] }, { data: {} }, false],
    [{ type: ['t'], tenant: ['acme'] }, { type: 't', tenant: 'acme', data: {} }, true],
    [{ type: ['t'], tenant: ['acme'] }, { type: 't', tenant: 'other', data: {} }, false],
  ])('%j of %j: %p', (match, message, expected) => {
    expect(matches(match, message)).toBe(expected);
  });
});

describe('a destination of all organizations', () => {
  it('hears of each, with whose it is; no organization sees it or what it was sent', async () => {
    const all = await process.destination(receiver.url('/all'), { scope: 'all', events: ['sync.completed', 'alert.opened'] });
    await process.destination(receiver.url('/acme'));
    await process.happens();
    await process.happens({ tenant: 'other' });
    for (const tenant of ['', 'acme']) await process.happens({ type: 'alert.opened', tenant });
    await process.deliver();
    expect(told('/all').map(({ type, tenant }) => [type, tenant])).toEqual([
      ['sync.completed', 'acme'],
      ['sync.completed', 'other'],
      ['alert.opened', null],
    ]);
    expect(told('/acme')).toHaveLength(1);
    expect(await process.destinations.list('acme', 10)).toHaveLength(1);
    await expect(process.destinations.find(all.id, 'acme')).rejects.toMatchObject({ code: 'not_found' });
    expect(await process.deliveries.list({ tenant: 'acme', limit: 10 })).toHaveLength(1);
    expect(await process.deliveries.list({ destinationId: all.id, limit: 10 })).toHaveLength(3);
  });

  it('hears of what happens in the request of a caller, who sees no other organization', async () => {
    await process.destination(receiver.url('/all'), { scope: 'all' });
    await asCallerOf('other', () => process.happens({ tenant: 'other' }));
    await process.deliver();
    expect(told('/all')).toMatchObject([{ tenant: 'other' }]);
  });

  it('is made by an operator alone', async () => {
    const made = { name: 'n', url: receiver.url('/x'), events: [], webhookTypes: [], match: null, ordered: false, scope: 'all' } as const;
    const boss = { tenant: 'acme', userId: 'boss', role: 'admin' } as const;
    await expect(process.destinations.create(boss, made)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('stays when the service starts again', async () => {
    await process.destination(receiver.url('/all'), { scope: 'all' });
    await process.operators.onApplicationBootstrap();
    expect(await process.destinations.list(undefined, 10)).toHaveLength(1);
  });
});

it('tells an organization, whichever other one asked for nothing in the moment before', async () => {
  await process.destination(receiver.url('/acme'));
  await asCallerOf('other', () => process.happens({ tenant: 'other' }));
  await process.happens();
  await process.deliver();
  expect(told('/acme')).toHaveLength(1);
});

describe('an ordered destination', () => {
  const happens = (object: string, n: number) => process.happens({ object, data: { object, n } });

  it('gets nothing of an object while what came before is not taken; of others it does', async () => {
    await process.destination(receiver.url('/a'), { ordered: true });
    for (const [object, n] of [
      ['x', 1],
      ['x', 2],
      ['y', 1],
      ['y', 2],
    ] as const)
      await happens(object, n);
    receiver.answers.set('/a', [500, 200]);
    await process.deliver();
    await database.dataSource.query('UPDATE destinations SET retry_at = NULL');
    await process.deliver();
    const failed = told('/a')[0]!.data.object;
    expect(told('/a').filter(({ data }) => data.object === failed)).toHaveLength(1);
    const numbersOf = (object: string) => told('/a').flatMap(({ data }) => (data.object === object ? [data.n] : []));
    expect(numbersOf(failed === 'x' ? 'y' : 'x')).toEqual([1, 2]);
    await database.dataSource.query(`UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending'`);
    await process.deliver();
    expect(numbersOf(failed)).toEqual([1, 1, 2]);
  });

  it('goes on with an object when what failed is given up', async () => {
    await process.destination(receiver.url('/a'), { ordered: true });
    await happens('x', 1);
    await happens('x', 2);
    await database.dataSource.query(
      `UPDATE deliveries SET give_up_at = now() - interval '9 years' WHERE order_number = (SELECT min(order_number) FROM deliveries)`,
    );
    receiver.answers.set('/a', [400, 200]);
    await process.deliver();
    await database.dataSource.query('UPDATE destinations SET retry_at = NULL');
    await process.deliver();
    expect(told('/a').map(({ data }) => data.n)).toEqual([1, 2]);
  });

  it('gets the messages of each object in their order, once, from several processes', async () => {
    await process.destination(receiver.url('/a'), { ordered: true });
    const objects = Array.from({ length: 12 }, (_, i) => `o${i}`);
    for (let n = 1; n <= 8; n++) for (const object of objects) await happens(object, n);
    const left = async () =>
      (await database.dataSource.query<{ id: string }[]>(`SELECT id FROM deliveries WHERE status <> 'delivered'`)).length;
    for (let turn = 0; turn < 200 && (await left()) > 0; turn++) await Promise.all([process.deliver(), other.deliver()]);
    for (const object of objects)
      expect(told('/a').flatMap(({ data }) => (data.object === object ? [data.n] : []))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('can be tested, and goes on if the process ends in the midst of it', async () => {
    const { id } = await process.destination(receiver.url('/a'), { ordered: true });
    await process.tester.test(id, 'acme');
    await database.dataSource.query(`UPDATE deliveries SET status = 'pending', next_attempt_at = now()`);
    await process.deliver();
    expect(told('/a').map(({ type }) => type)).toEqual(['destination.test', 'destination.test']);
  });
});
