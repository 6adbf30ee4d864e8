import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { OnlyProcess, ProcessSession } from '../../database';
import { VirtualClock } from '../outbound/testing/virtual-clock';
import { OF_ENDED_PROCESS, ProcessPresence } from './process-presence';

const LOOK_EVERY_MS = 2_000;

let database: TestDatabase;
let clock: VirtualClock;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.dataSource.query('CREATE TABLE test_leases (lease_owner uuid)');
});
afterAll(() => database.close());
beforeEach(() => void (clock = new VirtualClock()));

/** Which of the leases would be ended. */
async function ended(leases: readonly string[], alive: readonly string[]): Promise<string[]> {
  await database.dataSource.query('DELETE FROM test_leases');
  for (const lease of leases) await database.dataSource.query('INSERT INTO test_leases VALUES ($1)', [lease]);
  const rows = await database.dataSource.query<{ lease_owner: string }[]>(`SELECT lease_owner FROM test_leases WHERE ${OF_ENDED_PROCESS}`, [
    alive,
  ]);
  return rows.map(({ lease_owner }) => lease_owner);
}

async function twoLooks(presence: ProcessPresence): Promise<readonly string[] | undefined> {
  await presence.alive();
  await clock.advance(LOOK_EVERY_MS);
  return (await presence.alive())?.signs;
}

describe('with one process', () => {
  it('ends what the process before held, and nothing of its own', async () => {
    const before = new ProcessPresence(new OnlyProcess(), clock).newLease();
    const presence = new ProcessPresence(new OnlyProcess(), clock);
    const own = presence.newLease();
    expect(await ended([before, own], (await twoLooks(presence)) ?? [])).toEqual([before]);
  });

  it('takes nobody for dead at its first look', async () => {
    expect(await new ProcessPresence(new OnlyProcess(), clock).alive()).toBeUndefined();
  });
});

it('leaves leases without a sign to their end: those of a process that nobody can see, and of an earlier version', async () => {
  const unseen = new ProcessPresence(undefined, clock);
  expect(await ended([unseen.newLease(), randomUUID()], ['00000000'])).toEqual([]);
  expect(await twoLooks(unseen)).toBeUndefined();
});

it('gives a new lease each time', () => {
  const presence = new ProcessPresence(new OnlyProcess(), clock);
  expect(new Set(Array.from({ length: 1_000 }, () => presence.newLease())).size).toBe(1_000);
});

describe('with processes on a server', () => {
  const sessions: ProcessSession[] = [];
  const open = async () => {
    const session = new ProcessSession(database.url as string);
    sessions.push(session);
    await session.open();
    return session;
  };
  afterEach(() => Promise.all(sessions.splice(0).map((session) => session.close())));
  const onServer = process.env.TEST_DATABASE_URL ? it : it.skip;

  onServer('sees the living, and ends what the dead held at the second look without them', async () => {
    const [mine, other] = [await open(), await open()];
    const presence = new ProcessPresence(mine, clock);
    const leases = [presence.newLease(), new ProcessPresence(other, clock).newLease()];
    expect(await ended(leases, (await twoLooks(presence)) ?? [])).toEqual([]);
    await other.close();
    await clock.advance(LOOK_EVERY_MS);
    expect(await ended(leases, (await presence.alive())?.signs ?? [])).toEqual([]); // it was there the time before
    await clock.advance(LOOK_EVERY_MS);
    expect(await ended(leases, (await presence.alive())?.signs ?? [])).toEqual([leases[1]]);
  });

  onServer('says nothing while its own session is lost, takes it again, and is then known by the same sign', async () => {
    const session = await open();
    const { sign } = session;
    const presence = new ProcessPresence(session, clock);
    expect(await twoLooks(presence)).toContain(sign);
    await database.dataSource.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trestle-process'
      AND datname = current_database()`);
    await clock.advance(LOOK_EVERY_MS);
    await until(() => session.sign === undefined);
    expect(presence.newLease()[14]).toBe('7');
    await session.open();
    expect(session.sign).toBe(sign);
    await clock.advance(LOOK_EVERY_MS);
    await presence.alive();
    await clock.advance(LOOK_EVERY_MS);
    expect((await presence.alive())?.signs).toContain(sign);
  });
});

async function until(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !done();) {
    if (Date.now() > end) throw new Error('It did not come.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
