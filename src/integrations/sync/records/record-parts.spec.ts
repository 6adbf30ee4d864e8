import type { ConnectionRef, SyncPage, SyncRecord } from '../../contract';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';

describe('records that hang on another', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let connection: ConnectionRef;
  let pages: SyncPage[] = [];

  beforeAll(async () => {
    harness = await SyncHarness.start();
    process = harness.process();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    const name = 'events';
    const list = async function* () {
      yield* pages;
      return { complete: true } as const;
    };
    connection = await harness.connect(harness.provider({ resources: [{ name, label: 'Events', full: list, incremental: list }] }));
  });

  const apply = (resource: string, records: SyncRecord[], partition = '') =>
    harness.database.dataSource.transaction((manager) => process.records.apply(manager, connection, resource, partition, records));
  const living = async () => [...(await harness.stored(connection.id)).keys()].sort();
  const run = async (type: 'full' | 'incremental', told: SyncPage[]) => {
    pages = told;
    await process.service.request(connection.id, { type, trigger: 'manual' });
    await process.drain();
    return harness.latestRun(connection.id);
  };
  const exception = (id: string, required = false): SyncRecord => ({ id, data: { id, required }, partOf: { id: 'series', required } });

  it('go with it, each by a change of its own: one told of, one not mentioned', async () => {
    await run('full', [{ records: [{ id: 'series', data: 1 }, exception('x'), exception('y'), { id: 'other', data: 2 }], cursor: 1 }]);
    const ended = await run('incremental', [{ records: [{ id: 'series', deleted: true }, exception('x', true)], cursor: 2 }]);
    expect(ended).toMatchObject({ type: 'incremental', status: 'succeeded', counts: { deleted: 3 } });
    const { data } = await process.feed.read({ connectionId: connection.id, resource: 'events', limit: 50 });
    expect(data.map(({ id, deleted }) => [id, deleted === true])).toEqual([
      ['other', false],
      ['series', true],
      ['x', true],
      ['y', true],
    ]);
    expect(await living()).toEqual(['/other']);
  });

  it('are not taken in where they say nothing without it, also on a later page; what goes on by itself stays', async () => {
    await run('full', [{ records: [{ id: 'series', data: 1 }, exception('x'), exception('y')], cursor: 1 }]);
    await run('incremental', [
      { records: [{ id: 'series', deleted: true }, exception('y')], checkpoint: 1 },
      { records: [exception('x', true), exception('z', true)], cursor: 2 },
    ]);
    expect(await living()).toEqual(['/y']);
  });

  it('stay where it only moved to another partition, and go when it is gone there', async () => {
    const message: SyncRecord = { id: 'm', data: 'hello', partOf: { resource: 'channels', id: 'c' } };
    await apply('channels', [{ id: 'c', data: 1 }]);
    await apply('messages', [message]);
    await apply('channels', [{ id: 'c', data: 1 }], 'private');
    await apply('channels', [{ id: 'c', deleted: true }]);
    expect(await living()).toEqual(['/m', 'private/c']);
    expect(await apply('channels', [{ id: 'c', deleted: true }], 'private')).toMatchObject({ deleted: 1, elsewhere: { messages: 1 } });
    expect(await living()).toEqual([]);
  });

  it('stay where an older deletion comes late', async () => {
    await apply('events', [{ id: 'series', data: 1, version: 5 }, exception('x')]);
    await apply('events', [{ id: 'series', deleted: true, version: 4 }]);
    expect(await living()).toEqual(['/series', '/x']);
  });

  it('that were stored before it was known what they hang on learn it without a change', async () => {
    await apply('events', [
      { id: 'series', data: 1 },
      { id: 'x', data: exception('x').data },
    ]);
    expect(await apply('events', [exception('x')])).toMatchObject({ updated: 0, unchanged: 1 });
    expect(await apply('events', [{ id: 'series', deleted: true }])).toMatchObject({ deleted: 2 });
  });
});
