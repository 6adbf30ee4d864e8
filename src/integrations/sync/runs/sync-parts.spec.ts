import { Logger } from '@nestjs/common';
import { IntegrationError } from '../../../errors';
import { ConnectionRepository } from '../../connections/connection.repository';
import type { ConnectionRef } from '../../contract';
import { FakeRemote } from '../testing/fake-remote';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';
import { SYNC_COLUMNS } from './sync-columns';
import type { SyncTrigger, SyncType } from './sync-run.entity';

Logger.overrideLogger(false);

/** Of the harness, seconds. */
const INTERVAL = 900;
const DAY = 86_400;

describe('a part that cannot be read', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let remote: FakeRemote;
  let connection: ConnectionRef;
  let refused: Set<string>;
  let asked: string[];

  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.query('DELETE FROM connections');
    process = harness.process();
    remote = new FakeRemote();
    for (const name of ['a', 'b', 'c']) remote.list(name).put('x', 1);
    refused = new Set(['b']);
    asked = [];
    remote.beforePage = ({ partition }) => {
      asked.push(partition);
      if (refused.has(partition)) throw new IntegrationError('provider_forbidden');
    };
    connection = await harness.connect(harness.provider(remote.sync({ partitioned: true, watch: true })));
    await process.schedules.enable(connection.id);
  });

  const ask = (trigger: SyncTrigger, type: SyncType = 'incremental', resources: readonly string[] = []) =>
    process.service.request(connection.id, { type, trigger, resources });
  /** @returns the partitions that the run asked for */
  const sync = async (trigger: SyncTrigger, type?: SyncType, resources?: readonly string[]) => {
    asked = [];
    await ask(trigger, type, resources);
    await process.drain();
    return [...asked].sort();
  };
  const parts = async () => {
    const repository = new ConnectionRepository(harness.database.dataSource, harness.seals);
    repository.showSync(SYNC_COLUMNS);
    return (await repository.findWithSync({ tenant: 'acme', userId: 'u1', role: 'user' }, connection.id)).parts;
  };
  const failures = async () => (await parts()).map(({ partition, failures: count }) => [partition, count]);
  /** Until the part is tried again, in intervals. */
  const pause = async () => {
    const [row] = await harness.query<{ seconds: string }>(`SELECT extract(epoch FROM next_try_at - tried_at) AS seconds FROM sync_parts`);
    return Number(row?.seconds) / INTERVAL;
  };
  const pass = (seconds: number) =>
    harness.query(
      `UPDATE sync_parts SET tried_at = tried_at - $1 * interval '1 second', next_try_at = next_try_at - $1 * interval '1 second'`,
      [seconds],
    );

  it('is told by the run and the connection, with when it is tried again; the rest counts and is watched', async () => {
    await sync('schedule', 'full');
    const told = {
      resource: 'items',
      partition: 'b',
      label: 'Items',
      failures: 1,
      error: { code: 'provider_forbidden', nextStep: expect.any(String) as string },
    };
    const run = await harness.latestRun(connection.id);
    expect(run).toMatchObject({ status: 'succeeded', parts: [told] });
    expect(run.error?.message).toMatch(/^Items \(2 of 3 read\): /);
    expect(await parts()).toMatchObject([told]);
    expect(Date.parse((await parts())[0]?.nextTryAt ?? '')).toBeGreaterThan(Date.parse((await parts())[0]?.failingSince ?? ''));
    expect([...remote.watches.values()].map(({ partition }) => partition).sort()).toEqual(['a', 'c']);
  });

  it('is left out of the syncs until its time has come, ever more rarely, and once a day at the least', async () => {
    expect(await sync('schedule')).toEqual(['a', 'b', 'c']);
    const pauses = [await pause()];
    for (let tries = 2; tries <= 9; tries++) {
      expect(await sync('schedule')).toEqual(['a', 'c']);
      expect(await harness.latestRun(connection.id)).toMatchObject({ parts: [{ partition: 'b', failures: tries - 1 }] });
      await pass((pauses.at(-1) ?? 0) * INTERVAL + 1);
      expect(await sync('schedule', tries % 2 ? 'full' : 'incremental')).toEqual(['a', 'b', 'c']);
      pauses.push(await pause());
    }
    expect(pauses).toEqual([0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, DAY / INTERVAL - 0.5, DAY / INTERVAL - 0.5]);
  });

  it('is counted by the tries of it alone, whatever the runs in between are about and come to', async () => {
    remote.beforePage = ({ partition, mode }) => {
      asked.push(partition);
      if (refused.has(partition)) throw new IntegrationError('provider_forbidden');
      if (mode === 'incremental' && partition === 'c') throw new IntegrationError('provider_not_found');
    };
    await sync('schedule', 'full');
    for (const type of ['incremental', 'full', 'incremental'] as const) {
      await sync('schedule', type);
      expect(await failures()).toContainEqual(['b', 1]);
    }
    await pass(DAY);
    await sync('schedule', 'full');
    expect(await failures()).toContainEqual(['b', 2]);
    await pass(DAY);
    refused.clear();
    await sync('schedule', 'full');
    expect(await failures()).toEqual([]);
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', error: null, parts: [] });
  });

  it('is tried at once when a person asks, also while a run is under way that has left it out', async () => {
    await sync('schedule');
    await sync('schedule');
    expect(await sync('manual')).toEqual(['a', 'b', 'c']);
    expect(await failures()).toEqual([['b', 2]]);

    const answers: boolean[] = [];
    remote.beforePage = async ({ partition }) => {
      asked.push(partition);
      if (refused.has(partition)) throw new IntegrationError('provider_forbidden');
      if (answers.length > 0) return;
      answers.push((await ask('manual')).created, (await ask('manual')).created);
    };
    expect(await sync('schedule')).toEqual(['a', 'a', 'b', 'c', 'c']);
    expect(answers).toEqual([true, false]);
  });

  it('is tried sooner when the provider tells of a change, yet not with each of many', async () => {
    await sync('schedule');
    await sync('manual');
    await sync('manual');
    expect(await pause()).toBe(3.5);
    expect(await sync('webhook', 'incremental', ['items'])).toEqual(['a', 'c']);
    expect(await pause()).toBe(0.5);
    await pass(INTERVAL);
    expect(await sync('webhook', 'incremental', ['items'])).toEqual(['a', 'b', 'c']);
    expect(await sync('webhook', 'incremental', ['items'])).toEqual(['a', 'c']);
  });

  it('is tried at once, and counted anew, after a new consent', async () => {
    await sync('manual');
    await sync('manual');
    await process.parts.forget(connection.id);
    expect(await failures()).toEqual([]);
    expect(await sync('connect')).toEqual(['a', 'b', 'c']);
    expect(await failures()).toEqual([['b', 1]]);
  });

  it('is forgotten when the provider no longer has it', async () => {
    await sync('schedule');
    remote.lists.delete('b');
    await sync('schedule');
    expect(await parts()).toEqual([]);
  });

  it('does not slow the connection down where a run was about it alone', async () => {
    refused = new Set(['a', 'b', 'c']);
    const [before] = await harness.query(`SELECT * FROM sync_schedules`);
    await sync('webhook', 'incremental', ['items']);
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'failed', error: { code: 'provider_forbidden' } });
    expect(await harness.query(`SELECT * FROM sync_schedules`)).toEqual([before]);
  });

  it('is tried in each run where nothing else is left, and the connection has the growing pause', async () => {
    refused = new Set(['a', 'b', 'c']);
    await sync('webhook', 'incremental', ['items']);
    for (const count of [1, 2]) {
      expect(await sync('schedule')).toEqual(['a', 'b', 'c']);
      expect(await harness.query('SELECT failures FROM sync_schedules')).toEqual([{ failures: count }]);
    }
  });
});

it('a list that is not whole says what it leaves out, in the connection, until it is whole', async () => {
  const harness = await SyncHarness.start();
  const process = harness.process();
  const [items] = new FakeRemote().sync().resources;
  let why: string | undefined = 'Holds the newest 200.';
  const connection = await harness.connect(
    harness.provider({
      resources: [
        {
          ...items!,
          async *full() {
            yield await Promise.resolve({ records: [{ id: 'a', data: 1 }], cursor: 1 });
            return why === undefined ? { complete: true } : { complete: false, why };
          },
          async *incremental() {
            yield await Promise.resolve({ records: [], cursor: 2 });
          },
        },
      ],
    }),
  );
  const extents = async (type: SyncType) => {
    await process.service.request(connection.id, { type, trigger: 'manual' });
    await process.drain();
    const rows = await harness.query<{ extent: string | null; failures: number }>('SELECT extent, failures FROM sync_parts');
    return rows.map(({ extent }) => extent);
  };
  expect(await extents('full')).toEqual(['Holds the newest 200.']);
  expect(await extents('incremental')).toEqual(['Holds the newest 200.']);
  expect(await harness.latestRun(connection.id)).toMatchObject({ error: null, parts: [] });
  why = undefined;
  expect(await extents('full')).toEqual([]);
  await harness.close();
});

it('what there is to read beside changes is read run by run, after whatever else is due, each going on from the one before', async () => {
  const harness = await SyncHarness.start();
  const process = harness.process();
  const [items] = new FakeRemote().sync().resources;
  const order: string[] = [];
  async function* slice(from: number) {
    order.push(`older ${from}`);
    yield await Promise.resolve({ records: [{ id: `r${from}`, data: from }], cursor: from + 1, more: from < 3 });
    return { complete: false as const, why: `${from + 1} are read; older ones follow.` };
  }
  const provider = harness.provider({
    resources: [
      { ...items!, name: 'other', incremental: undefined, full: () => (order.push('other'), slice(9)) },
      { ...items!, full: () => slice(0), incremental: ({ cursor }) => slice(cursor as number) },
    ],
  });
  const connection = await harness.connect(provider);
  await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
  await process.step();
  const [queued] = await harness.query('SELECT trigger, resources, priority FROM sync_runs WHERE status = $1', ['queued']);
  expect(queued).toEqual({ trigger: 'schedule', resources: ['items'], priority: 9 });

  const urgent = await harness.connect(provider);
  await process.service.request(urgent.id, { type: 'full', trigger: 'webhook', resources: ['other'] });
  order.length = 0;
  await process.drain();
  expect(order).toEqual(['other', 'older 9', 'older 1', 'older 2', 'older 3']);
  expect([...(await harness.stored(connection.id)).keys()].sort()).toEqual(['/r0', '/r1', '/r2', '/r3', '/r9']);
  expect(await harness.query(`SELECT extent FROM sync_parts WHERE connection_id = $1 AND resource = 'items'`, [connection.id])).toEqual([
    { extent: '4 are read; older ones follow.' },
  ]);
  await harness.close();
});
