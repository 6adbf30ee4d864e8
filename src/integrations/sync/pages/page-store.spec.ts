import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { SyncRecord } from '../../contract';
import { PageStore, RunLostError, type UniformPage } from './page-store';
import { recordBatch } from '../records/record-batch';
import { FakeRemote } from '../testing/fake-remote';
import { FeedReader, SyncHarness } from '../testing/sync-harness';

Logger.overrideLogger(false);

let harness: SyncHarness;
beforeAll(async () => {
  harness = await SyncHarness.start();
});
afterEach(() => harness.query('DELETE FROM connections'));
afterAll(() => harness.close());

describe('a page in one statement', () => {
  it('loses nothing and goes back on nothing while events write to the same records', async () => {
    const process = harness.process();
    const remote = new FakeRemote();
    remote.pageSize = 3;
    for (let i = 0; i < 90; i++) remote.list().put(`r${String(i).padStart(3, '0')}`, 'first');
    const connection = await harness.connect(harness.provider(remote.sync()));
    const reader = new FeedReader(process.feed, connection.id);
    let walking = true;
    /** Changes a record at the remote and brings its event, newest version first, an older one after it. */
    const events = async (seed: number) => {
      for (let i = 0; walking && i < 60; i++) {
        const id = `r${String((seed * 31 + i * 7) % 90).padStart(3, '0')}`;
        const list = remote.list();
        const old = list.items.get(id);
        list.put(id, `${seed}.${i}`);
        const now = list.items.get(id);
        for (const item of [now, old]) {
          if (!item) continue;
          const record = { id, data: item.value, version: item.version };
          await harness.database.dataSource.transaction((manager) => process.records.apply(manager, connection, 'items', '', [record]));
        }
        await reader.catchUp();
      }
    };
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const writers = [1, 2, 3].map(events);
    await process.drain();
    walking = false;
    await Promise.all(writers);
    await reader.catchUp();

    const expected = new Map([...remote.list().items].map(([id, { value }]) => [`/${id}`, value]));
    expect(await harness.stored(connection.id)).toEqual(expected);
    expect(reader.known).toEqual(expected);
    const [numbers] = await harness.query('SELECT count(*) - count(DISTINCT change_no) AS twice FROM records WHERE connection_id = $1', [
      connection.id,
    ]);
    expect(numbers).toEqual({ twice: '0' });
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', counts: { fetched: 90 } });
  });
});

describe('a page that follows one of records of one kind', () => {
  const none = { created: 0, updated: 0, unchanged: 0, deleted: 0 };
  const stored: SyncRecord[] = [
    { id: 'a', data: 'first', version: 5 },
    { id: 'b', data: 'first', version: 5 },
  ];

  /** A full run under way, with one page stored and the same records met again. */
  async function underWay() {
    const process = harness.process();
    const connection = await harness.connect(harness.provider(new FakeRemote().sync()));
    const pages = new PageStore(harness.database.dataSource, process.runs, process.walks, process.records, process.changes);
    const at = { connectionId: connection.id, resource: 'items', partition: '' };
    await process.records.prepare(connection.id);
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const run = await process.runs.claim(randomUUID(), 30_000, []);
    if (!run) throw new Error('nothing to claim');
    let walk = await pages.begin(run, at, 'full');
    const store = async (before: UniformPage, records: SyncRecord[], checkpoint: unknown) => {
      const page = { records, checkpoint };
      return (await pages.store(run, at, walk, { page, batch: recordBatch(records), last: false }, before)).counts;
    };
    expect(await store('created', stored, 1)).toEqual({ ...none, created: 2 });
    walk = await pages.begin(run, at, 'full');
    return { process, pages, at, run, walk, store };
  }

  it('unchanged: is noted as met, with where to go on, and writes no record', async () => {
    const { process, pages, at, run, walk, store } = await underWay();
    const rows = () => harness.query('SELECT xmin::text, * FROM records WHERE connection_id = $1 ORDER BY external_id', [at.connectionId]);
    const before = await rows();

    expect(await store('unchanged', stored, 2)).toEqual({ ...none, unchanged: 2 });
    expect((await process.walks.find(at)).walk?.checkpoint).toBe(2);
    expect((await process.runs.findById(run.id))?.counts).toEqual({ ...none, fetched: 4, created: 2, unchanged: 2 });
    expect((await pages.finish(run, at, walk, { complete: true })).counts).toEqual(none); // both were met
    expect(await rows()).toEqual(before);
  });

  it('new: is written and numbered, with where to go on', async () => {
    const { process, at, run, store } = await underWay();
    const added = [
      { id: 'c', data: { of: 'c' } },
      { id: 'd', data: null, version: 3 },
    ];
    expect(await store('created', added, 2)).toEqual({ ...none, created: 2 });
    expect((await process.walks.find(at)).walk?.checkpoint).toBe(2);
    expect((await process.runs.findById(run.id))?.counts).toEqual({ ...none, fetched: 4, created: 4 });
    expect(await process.feed.read({ connectionId: at.connectionId, resource: 'items', limit: 10 })).toMatchObject({
      data: [{ id: 'a' }, { id: 'b' }, { id: 'c', data: { of: 'c' } }, { id: 'd', data: null, deleted: false }],
    });
    expect(await store('unchanged', added, 3)).toEqual({ ...none, unchanged: 2 }); // their hashes are right
    expect(await store('created', [{ id: 'e', data: 1 }], 4)).toEqual({ ...none, created: 1 });
    const [last] = await harness.query(
      `SELECT last_change = change_no AS numbered FROM records JOIN record_sequences USING (connection_id) WHERE external_id = 'e'`,
    );
    expect(last).toEqual({ numbered: true });
  });

  it.each<[string, SyncRecord, object]>([
    ['another content', { id: 'b', data: 'second', version: 6 }, { updated: 1 }],
    ['a record never met', { id: 'c', data: 'first' }, { created: 1 }],
    ['a deletion', { id: 'b', deleted: true, version: 6 }, { deleted: 1 }],
    ['a newer version of the same content', { id: 'b', data: 'first', version: 9 }, { unchanged: 2 }],
  ])('is stored as any other when it has %s', async (_, record, counts) => {
    const { process, at, store } = await underWay();
    const [first] = stored as [SyncRecord];
    await store('created', [first, { id: 'z', data: 'new' }], 1);
    expect(await store('unchanged', [first, record], 2)).toMatchObject(counts);
    expect((await process.walks.find(at)).walk?.checkpoint).toBe(2);
    const [row] = await harness.query('SELECT data, version, deleted FROM records WHERE connection_id = $1 AND external_id = $2', [
      at.connectionId,
      record.id,
    ]);
    expect(row).toMatchObject({
      data: record.deleted ? null : record.data,
      deleted: record.deleted ?? false,
      version: record.version === undefined ? null : String(record.version),
    });
  });

  it('brings back what an event deleted meanwhile, when the provider has it', async () => {
    const { process, at, store } = await underWay();
    await harness.database.dataSource.transaction((manager) =>
      process.records.apply(manager, { id: at.connectionId }, 'items', '', [{ id: 'a', deleted: true }]),
    );
    expect(await store('unchanged', [{ id: 'a', data: 'first', version: 6 }], 2)).toMatchObject({ created: 1 });
  });

  it.each<UniformPage>(['created', 'unchanged'])('is refused when the run was taken over (%s)', async (before) => {
    const { process, at, run, store } = await underWay();
    await harness.endLeases();
    expect(await process.runs.claim(randomUUID(), 30_000, [])).toMatchObject({ id: run.id });
    await expect(store(before, stored, 2)).rejects.toBeInstanceOf(RunLostError);
    expect((await process.walks.find(at)).walk?.checkpoint).toBeUndefined();
  });
});
