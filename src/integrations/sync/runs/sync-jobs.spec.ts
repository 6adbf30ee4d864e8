import { Logger } from '@nestjs/common';
import type { SyncPage, SyncResource } from '../../contract';
import { SyncHarness } from '../testing/sync-harness';
import { contentOf, filled, sceneOf } from '../testing/sync-scene';

Logger.overrideLogger(false);

let harness: SyncHarness;
beforeAll(async () => {
  harness = await SyncHarness.start();
});
afterAll(() => harness.close());
afterEach(async () => {
  await harness.query(`DELETE FROM connections`);
});

describe('a full run', () => {
  it('stores every record, counts it and keeps the cursor', async () => {
    const remote = filled(25);
    const { connection, full } = await sceneOf(harness, remote);
    await full();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    expect(await harness.latestRun(connection.id)).toMatchObject({
      status: 'succeeded',
      total: 25,
      counts: { fetched: 25, created: 25, updated: 0, unchanged: 0, deleted: 0 },
    });
    expect(await harness.query('SELECT cursor, checkpoint, state FROM sync_cursors WHERE connection_id = $1', [connection.id])).toEqual([
      { cursor: { head: 26 }, checkpoint: null, state: 'done' },
    ]);
  });

  it('writes no record when nothing changed, and leaves nothing behind', async () => {
    const remote = filled(25);
    const { connection, full } = await sceneOf(harness, remote);
    await full();
    const rows = () =>
      harness.query('SELECT external_id, xmin::text, ctid::text FROM records WHERE connection_id = $1 ORDER BY 1', [connection.id]);
    const before = await rows();
    await full();
    expect(await rows()).toEqual(before);
    expect(await harness.latestRun(connection.id)).toMatchObject({ counts: { fetched: 25, created: 0, unchanged: 25, deleted: 0 } });
    expect(await harness.query('SELECT * FROM sync_seen WHERE connection_id = $1', [connection.id])).toEqual([]);
  });

  it('sweeps what is gone, and only after its last page', async () => {
    const remote = filled(25);
    const { connection, full } = await sceneOf(harness, remote);
    await full();
    remote.list().remove('r0003');
    remote.list().remove('r0024');
    const duringTheWalk: number[] = [];
    remote.beforePage = async () => void duringTheWalk.push((await harness.stored(connection.id)).size);
    await full();
    expect(duringTheWalk).toEqual([25, 25, 25]);
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    expect(await harness.latestRun(connection.id)).toMatchObject({ counts: { deleted: 2 } });
  });

  it('does not sweep what an event brought while it was walking', async () => {
    const remote = filled(25);
    const { process, connection, full } = await sceneOf(harness, remote);
    await full();
    remote.list().remove('r0002');
    remote.beforePage = async ({ from }) => {
      if (from !== 'r0020') return;
      // the list has been passed: a new one before it, and one that comes back as it was
      const records = [
        { id: 'r0000a', data: 'new' },
        { id: 'r0002', data: { n: 2 } },
      ];
      await harness.database.dataSource.transaction((manager) => process.records.apply(manager, connection, 'items', '', records));
    };
    await full();
    const stored = await harness.stored(connection.id);
    expect(stored.get('/r0000a')).toBe('new');
    expect(stored.get('/r0002')).toEqual({ n: 2 });
    expect(stored.size).toBe(26);
  });

  it('waits for a confirmation before it removes most of the records, and goes on when it gets it', async () => {
    const remote = filled(60);
    const { process, connection, full } = await sceneOf(harness, remote);
    await full();
    for (let i = 0; i < 40; i++) remote.list().remove(`r${String(i).padStart(4, '0')}`);
    remote.list().put('r0059', 'changed');
    await full();
    const run = await harness.latestRun(connection.id);
    expect(run).toMatchObject({ status: 'paused', error: { code: 'confirmation_required' }, counts: { deleted: 0, updated: 1 } });
    expect((await harness.stored(connection.id)).size).toBe(60);

    await process.service.confirm(run.id, 'acme');
    await process.drain();
    expect(await harness.latestRun(connection.id)).toMatchObject({ id: run.id, status: 'succeeded', counts: { deleted: 40 } });
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });

  it('removes a small number without asking', async () => {
    const remote = filled(12);
    const { connection, full } = await sceneOf(harness, remote);
    await full();
    for (let i = 0; i < 11; i++) remote.list().remove(`r${String(i).padStart(4, '0')}`);
    await full();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });

  it('sweeps the records of a partition that is gone', async () => {
    const remote = filled(5, 'work');
    for (let i = 0; i < 30; i++) remote.list('home').put(`h${i}`, i);
    const { connection, full, incremental } = await sceneOf(harness, remote, { partitioned: true });
    await full();
    remote.lists.delete('work');
    await incremental();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    remote.lists.delete('home');
    await incremental(); // everything: left to a full run, which asks
    expect((await harness.stored(connection.id)).size).toBe(30);
    await full();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'paused' });
  });

  it('takes for there what was met and not read, and keeps it as it is', async () => {
    const process = harness.process();
    const again: (boolean | undefined)[] = [];
    let pages: SyncPage[] = [];
    const full: SyncResource['full'] = async function* (context) {
      again.push(context.again);
      yield* pages;
      return { complete: true, holds: 'The newest one.' };
    };
    const connection = await harness.connect(harness.provider({ resources: [{ name: 'items', label: 'Items', full }] }));
    const run = async (...told: SyncPage[]) => {
      pages = told;
      await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
      await process.drain();
      return [...(await harness.stored(connection.id))].sort();
    };
    const three = ['a', 'b', 'c'].map((id) => ({ id, data: id }));
    await run({ records: three, cursor: 1 });
    expect(await run({ records: [], met: ['a'], checkpoint: 1 }, { records: [], met: ['b', 'unknown'], cursor: 2 })).toEqual([
      ['/a', 'a'],
      ['/b', 'b'],
    ]);
    expect(await run({ records: [{ id: 'a', data: 'A' }], met: ['b'], cursor: 3 })).toEqual([
      ['/a', 'A'],
      ['/b', 'b'],
    ]);
    expect(again).toEqual([false, true, true]);
    expect(await harness.query('SELECT extent FROM sync_parts WHERE connection_id = $1', [connection.id])).toEqual([
      { extent: 'The newest one.' },
    ]);
    expect(await harness.query('SELECT 1 FROM sync_seen WHERE connection_id = $1', [connection.id])).toEqual([]);
  });

  it('removes a partition that is told to be gone at once, however much it is, and of a list that is not complete', async () => {
    const remote = filled(5, 'work');
    for (let i = 0; i < 30; i++) remote.list('home').put(`h${i}`, i);
    const { connection, full, incremental } = await sceneOf(harness, remote, { partitioned: true });
    await full();
    remote.lists.clear();
    remote.extent = { complete: false, why: 'Some lists are left out.' };
    remote.gone = ['home', 'never-there'];
    await incremental();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', counts: { deleted: 30 } });
    expect([...(await harness.stored(connection.id)).keys()].sort()).toEqual(
      [...filled(5, 'work').list('work').items.keys()].map((id) => `work/${id}`),
    );
  });
});

describe('an incremental run', () => {
  it('brings changes and deletions since the cursor', async () => {
    const remote = filled(25);
    const { connection, full, incremental } = await sceneOf(harness, remote);
    await full();
    remote.list().put('r0001', 'changed');
    remote.list().put('new', 'new');
    remote.list().remove('r0002');
    await incremental();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    expect(await harness.latestRun(connection.id)).toMatchObject({
      type: 'incremental',
      counts: { fetched: 3, created: 1, updated: 1, deleted: 1 },
    });
  });

  it('does a full walk where there is no cursor yet, or the provider has no increments', async () => {
    const remote = filled(12);
    const { connection, incremental } = await sceneOf(harness, remote, { incremental: false });
    await incremental();
    remote.list().remove('r0000');
    await incremental();
    expect(remote.ledger.every(({ mode }) => mode === 'full')).toBe(true);
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });

  it('does a full walk of only the partition whose cursor has expired, old records served meanwhile', async () => {
    const remote = filled(15, 'a');
    for (let i = 0; i < 15; i++) remote.list('b').put(`b${i}`, i);
    const { connection, full, incremental } = await sceneOf(harness, remote, { partitioned: true });
    await full();
    remote.list('a').remove('r0000');
    remote.list('a').forgetCursors();
    remote.list('b').put('b0', 'changed');
    remote.ledger.length = 0;
    const during: number[] = [];
    remote.beforePage = async () => void during.push((await harness.stored(connection.id)).size);
    await incremental();
    expect(remote.ledger.map(({ partition, mode }) => `${partition} ${mode}`)).toEqual([
      'a incremental',
      'a full',
      'a full',
      'b incremental',
    ]);
    expect(during).toEqual([30, 30, 30, 29]);
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', type: 'incremental' });
  });

  it('catches with the next one what changed while pages were walked', async () => {
    const remote = filled(25);
    const { connection, full, incremental } = await sceneOf(harness, remote);
    remote.beforePage = ({ from }) => {
      if (from !== 'r0009') return;
      remote.list().put('r0001', 'changed behind the walk');
      remote.list().put('r0000b', 'inserted behind the walk');
      remote.list().remove('r0004');
    };
    await full();
    remote.beforePage = () => undefined;
    await incremental();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });
});
