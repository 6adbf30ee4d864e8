import { encodeCursor } from '../../../http-api';
import type { ConnectionRef, SyncRecord } from '../../contract';
import { FakeRemote } from '../testing/fake-remote';
import { FeedReader, SyncHarness, type SyncProcess } from '../testing/sync-harness';

describe('the change feed', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let connection: ConnectionRef;

  beforeAll(async () => {
    harness = await SyncHarness.start();
    process = harness.process();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    connection = await harness.connect(harness.provider(new FakeRemote().sync()));
  });

  const apply = (records: SyncRecord[], resource = 'items') =>
    harness.database.dataSource.transaction((manager) => process.records.apply(manager, connection, resource, '', records));
  const read = (cursor?: string, limit = 100, since?: Date) =>
    process.feed.read({ connectionId: connection.id, resource: 'items', cursor, limit, since });

  it('gives what is there, then what changed, deletions included', async () => {
    await apply([
      { id: 'a', data: 1 },
      { id: 'b', data: 2 },
    ]);
    const first = await read();
    expect(first.data).toEqual([
      expect.objectContaining({ id: 'a', data: 1, deleted: false }),
      expect.objectContaining({ id: 'b', data: 2, deleted: false }),
    ]);
    expect((await read(first.nextCursor)).data).toEqual([]);
    await apply([
      { id: 'b', deleted: true },
      { id: 'c', data: 3 },
    ]);
    const second = await read(first.nextCursor);
    expect(second.data).toEqual([
      expect.objectContaining({ id: 'b', data: null, deleted: true }),
      expect.objectContaining({ id: 'c', data: 3 }),
    ]);
    expect((await read(second.nextCursor)).data).toEqual([]);
  });

  it('gives a cursor even when there is nothing', async () => {
    const empty = await read();
    expect(empty).toEqual({ data: [], nextCursor: expect.any(String) as string, hasMore: false });
    await apply([{ id: 'a', data: 1 }]);
    expect((await read(empty.nextCursor)).data).toHaveLength(1);
  });

  it('goes page by page', async () => {
    await apply(Array.from({ length: 10 }, (_, i) => ({ id: `r${i}`, data: i })));
    const ids: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 4; page++) {
      const answer = await read(cursor, 3);
      ids.push(...answer.data.map(({ id }) => id));
      cursor = answer.nextCursor;
    }
    expect(ids).toEqual(Array.from({ length: 10 }, (_, i) => `r${i}`));
  });

  it('filters by time', async () => {
    await apply([{ id: 'a', data: 1 }]);
    harness.clock.advance(60_000);
    const since = new Date(harness.clock.now());
    await apply([{ id: 'b', data: 2 }]);
    expect((await read(undefined, 100, since)).data.map(({ id }) => id)).toEqual(['b']);
  });

  it('refuses a cursor that it never gave', async () => {
    await apply([{ id: 'a', data: 1 }]);
    await apply([{ id: 'x', data: 1 }], 'others');
    const { nextCursor: other } = await process.feed.read({ connectionId: connection.id, resource: 'others', limit: 10 });
    for (const cursor of [
      'nonsense',
      encodeCursor({ n: 1 }),
      encodeCursor({ r: 'items', n: '-1', c: '0' }),
      encodeCursor({ r: 'items', n: '1; DROP', c: '0' }),
      encodeCursor({ r: 'items', n: '999', c: '0' }),
      other,
    ]) {
      await expect(read(cursor)).rejects.toMatchObject({ code: 'invalid_cursor' });
    }
  });

  it('tells a reader that missed removed tombstones to start again, and nobody else', async () => {
    await apply([
      { id: 'a', data: 1 },
      { id: 'b', data: 2 },
      { id: 'c', data: 3 },
    ]);
    const early = (await read(undefined, 1)).nextCursor;
    await apply([{ id: 'a', deleted: true }]);
    const late = (await read()).nextCursor;
    harness.clock.advance(31 * 86_400_000);
    expect(await process.compactor.compact(new AbortController().signal)).toBeGreaterThanOrEqual(1);

    await expect(read(early)).rejects.toMatchObject({ code: 'cursor_expired', status: 410 });
    expect((await read(late)).data).toEqual([]);
    // who starts after the compaction reads small numbers page by page without being sent back
    const first = await read(undefined, 1);
    expect(first.data.map(({ id }) => id)).toEqual(['b']);
    expect((await read(first.nextCursor, 1)).data.map(({ id }) => id)).toEqual(['c']);
  });

  it('never skips a committed change while many write', async () => {
    const reader = new FeedReader(process.feed, connection.id);
    const state = new Map<string, number>();
    const writer = async (w: number) => {
      for (let i = 0; i < 15; i++) {
        const id = `w${w}-${i % 6}`;
        await harness.database.dataSource.transaction(async (manager) => {
          await process.records.apply(manager, connection, i % 3 ? 'items' : 'others', '', [{ id, data: `${w}.${i}` }]);
          await process.records.apply(manager, connection, 'items', '', [{ id, data: i }]);
          await manager.query('SELECT pg_sleep($1)', [(w + i) % 3 ? 0 : 0.002]); // holds the numbers for a while
        });
        state.set(id, i);
      }
    };
    let writing = true;
    const tail = (async () => {
      while (writing) await reader.catchUp();
    })();
    await Promise.all([0, 1, 2, 3, 4, 5].map(writer));
    writing = false;
    await tail;
    await reader.catchUp();
    expect(reader.known).toEqual(new Map([...state].map(([id, value]) => [`/${id}`, value])));
    const gaps = await harness.query(
      `SELECT resource, count(*), count(DISTINCT change_no) FROM records WHERE connection_id = $1 GROUP BY resource HAVING count(*) <> count(DISTINCT change_no)`,
      [connection.id],
    );
    expect(gaps).toEqual([]);
  });
});
