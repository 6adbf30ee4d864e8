import { z } from 'zod';
import { ConnectionRepository } from '../../connections/connection.repository';
import type { ConnectionRef, SyncPage, SyncRecord } from '../../contract';
import { InProcessWakeUp } from '../../jobs/wake-up/in-process.wake-up';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';
import { SYNC_COLUMNS } from '../runs/sync-columns';
import { EventShapes } from './event-shapes';
import { RealtimeRecords } from './realtime-records';
import { RecordShapes } from './record-shapes';

const shape = z.object({ id: z.string(), name: z.string(), owner: z.object({ id: z.string() }).nullish() });
const good = (id: string) => ({ id, data: { id, name: 'x', more: [1, { two: 2 }] } });
const bad = (id: string) => ({ id, data: { id, name: 7, secret: 'do not tell' } });

describe('a record that does not have the declared shape', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let connection: ConnectionRef;
  let pages: SyncPage[];
  let realtime: RealtimeRecords;
  let beforePage: (page: SyncPage) => void;

  beforeAll(async () => {
    harness = await SyncHarness.start();
    process = harness.process();
    const { records, service, events, changes, watches, parts } = process;
    const { clock, registry } = harness;
    const wakeUp = new InProcessWakeUp({ workers: false }, clock);
    realtime = new RealtimeRecords(
      records,
      service,
      events,
      wakeUp,
      changes,
      watches,
      new EventShapes(new RecordShapes(registry), parts),
      clock,
    );
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    beforePage = () => undefined;
    const walk = async function* ({ partition, checkpoint }: { partition: string; checkpoint: unknown }) {
      for (const [index, page] of pages.entries()) {
        if (index < Number(checkpoint ?? 0)) continue;
        beforePage(page);
        yield partition === 'other' ? { ...page, records: page.records.slice(0, 1) } : page;
      }
      return { complete: true } as const;
    };
    const label = 'Items';
    const partitions = () => Promise.resolve({ names: ['one', 'other'], complete: true } as const);
    connection = await harness.connect(
      harness.provider({
        resources: [
          { name: 'items', label, shape, full: walk, incremental: walk },
          { name: 'parted', label: 'Parted', shape, partitions, full: walk },
          { name: 'free', label: 'Free', full: walk },
        ],
        eventOnly: [{ name: 'told', label: 'Told', shape }],
      }),
    );
  });

  const run = async (type: 'full' | 'incremental', records: SyncRecord[], resources = ['items']) => {
    pages = [{ records, cursor: 1 }];
    await process.service.request(connection.id, { type, trigger: 'manual', resources });
    await process.drain();
    return harness.latestRun(connection.id);
  };
  const parts = async () => {
    const repository = new ConnectionRepository(harness.database.dataSource, harness.seals);
    repository.showSync(SYNC_COLUMNS);
    const { parts: all } = await repository.findWithSync({ tenant: 'acme', userId: 'u1', role: 'user' }, connection.id);
    return all.map(({ resource, partition, shapeErrors, shapeError, error }) => ({ resource, partition, shapeErrors, shapeError, error }));
  };
  const reason = 'name: Invalid input: expected string, received number';
  const told = async (resource: string, records: SyncRecord[]) =>
    harness.database.dataSource.transaction((manager) => realtime.apply(manager, connection, resource, records, { partition: '' }));

  it('is stored as it came, and named by the run and the connection: how many there are, and what is wrong with the first', async () => {
    const ended = await run('full', [good('a'), bad('b'), good('c'), bad('d')]);
    expect(ended).toMatchObject({ status: 'succeeded', error: null, counts: { fetched: 4, created: 4 } });
    expect(ended.shapeErrors).toEqual([{ resource: 'items', partition: '', records: 2, recordId: 'b', reason }]);
    expect((await harness.stored(connection.id)).get('/b')).toEqual(bad('b').data);
    expect((await harness.stored(connection.id)).get('/a')).toEqual(good('a').data);
    expect(await parts()).toEqual([{ resource: 'items', partition: null, shapeErrors: 2, shapeError: reason, error: null }]);
    expect(JSON.stringify([ended, await parts()])).not.toContain('do not tell');
  });

  it('is one of many pages: each page counts once, also where the run is interrupted between them', async () => {
    pages = [1, 2, 3, 4].map((n) => ({ records: [good(`g${n}`), bad(`b${n}`)], ...(n < 4 ? { checkpoint: n } : { cursor: 1 }) }));
    let crash = true;
    beforePage = (page) => {
      if (page !== pages[2] || !crash) return;
      crash = false;
      throw new Error('the process has ended');
    };
    await process.service.request(connection.id, { type: 'full', trigger: 'manual', resources: ['items'] });
    await process.drain();
    await harness.endWaits();
    await process.drain();
    const ended = await harness.latestRun(connection.id);
    expect([ended.status, ended.counts.fetched]).toEqual(['succeeded', 8]);
    expect(ended.shapeErrors).toEqual([{ resource: 'items', partition: '', records: 4, recordId: 'b1', reason }]);
  });

  it('is told of until a walk from end to end meets none; a run of what changed only adds to what is known', async () => {
    await run('full', [good('a'), bad('b'), bad('c')]);
    await run('incremental', [good('a')]);
    expect((await parts())[0]).toMatchObject({ shapeErrors: 2 });
    await run('full', [good('a'), bad('b'), good('c')]);
    expect((await parts())[0]).toMatchObject({ shapeErrors: 1 });
    await run('full', [good('a'), good('b'), good('c')]);
    expect(await parts()).toEqual([]);
  });

  it('is named of the partition that it is in', async () => {
    const ended = await run('full', [good('a'), bad('b')], ['parted']);
    expect(ended.shapeErrors).toEqual([{ resource: 'parted', partition: 'one', records: 1, recordId: 'b', reason }]);
    expect(await parts()).toEqual([{ resource: 'parted', partition: 'one', shapeErrors: 1, shapeError: reason, error: null }]);
  });

  it('is a page of which all is stored already as well', async () => {
    for (const times of [1, 2]) {
      const ended = await run('full', [bad('a'), bad('b')]);
      expect([times, ended.shapeErrors[0]?.records]).toEqual([times, 2]);
    }
  });

  it('is stored and named where an event brings it, of a resource of events alone too', async () => {
    await told('items', [good('a'), bad('b')]);
    await told('items', [bad('c')]);
    await told('told', [bad('d'), { id: 'e', deleted: true }]);
    expect([...(await harness.stored(connection.id)).keys()].sort()).toEqual(['/a', '/b', '/c', '/d']);
    expect(await parts()).toEqual([
      { resource: 'items', partition: null, shapeErrors: 2, shapeError: reason, error: null },
      { resource: 'told', partition: null, shapeErrors: 1, shapeError: reason, error: null },
    ]);
  });

  it('is none where nothing is declared', async () => {
    const ended = await run('full', [bad('a'), { id: 'b', data: 3 }], ['free']);
    expect(ended).toMatchObject({ counts: { created: 2 }, shapeErrors: [] });
  });
});
