import type { ConnectionRef, SyncRecord } from '../../contract';
import { FEED } from '../feed/record-feed';
import { STORE_NEW_PAGE, STORE_SAME_PAGE } from '../pages/page.queries';
import { APPLY_BATCH } from './record.queries';
import { FakeRemote } from '../testing/fake-remote';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';

describe('the record store', () => {
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

  const apply = (records: SyncRecord[], partition = '') =>
    harness.database.dataSource.transaction((manager) => process.records.apply(manager, connection, 'items', partition, records));
  const rows = () =>
    harness.query<{ external_id: string; data: unknown; deleted: boolean; change_no: string; xmin: string; ctid: string }>(
      'SELECT external_id, data, deleted, change_no, xmin::text, ctid::text FROM records WHERE connection_id = $1 ORDER BY external_id',
      [connection.id],
    );
  const lastChange = async () => {
    const [row] = await harness.query<{ last_change: string }>('SELECT last_change FROM record_sequences WHERE connection_id = $1', [
      connection.id,
    ]);
    return Number(row?.last_change);
  };

  it('counts what was created, updated, unchanged and deleted', async () => {
    expect(
      await apply([
        { id: 'a', data: 1 },
        { id: 'b', data: 2 },
        { id: 'c', data: 3 },
      ]),
    ).toEqual({ created: 3, updated: 0, unchanged: 0, deleted: 0 });
    expect(
      await apply([
        { id: 'a', data: 1 },
        { id: 'b', data: 22 },
        { id: 'c', deleted: true },
        { id: 'd', data: 4 },
      ]),
    ).toEqual({ created: 1, updated: 1, unchanged: 1, deleted: 1 });
    expect(await rows()).toMatchObject([
      { external_id: 'a', data: 1, deleted: false, change_no: '1' },
      { external_id: 'b', data: 22, deleted: false, change_no: '4' },
      { external_id: 'c', data: null, deleted: true, change_no: '5' },
      { external_id: 'd', data: 4, deleted: false, change_no: '6' },
    ]);
  });

  it('writes no row when nothing changed, whatever the order of the keys', async () => {
    await apply([
      { id: 'a', data: { x: 1, y: [{ p: 1, q: 2 }] } },
      { id: 'b', data: 'text' },
    ]);
    const before = await rows();
    const counts = await apply([
      { id: 'b', data: 'text' },
      { id: 'a', data: { y: [{ q: 2, p: 1 }], x: 1 } },
    ]);
    expect(counts).toEqual({ created: 0, updated: 0, unchanged: 2, deleted: 0 });
    expect(await rows()).toEqual(before); // xmin and ctid too
    expect(await lastChange()).toBe(2);
  });

  it('draws consecutive numbers', async () => {
    for (let i = 0; i < 5; i++)
      await apply([
        { id: `a${i}`, data: i },
        { id: 'same', data: 'same' },
        { id: `b${i}`, data: i },
      ]);
    const numbers = (await rows()).map((row) => Number(row.change_no)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    expect(await lastChange()).toBe(11);
  });

  it('never lets a lower version overwrite a higher one', async () => {
    await apply([{ id: 'a', data: 'new', version: 7 }]);
    expect(await apply([{ id: 'a', data: 'old', version: 6 }])).toMatchObject({ unchanged: 1 });
    expect(await apply([{ id: 'a', deleted: true, version: 6 }])).toMatchObject({ unchanged: 1 });
    expect(await rows()).toMatchObject([{ data: 'new', deleted: false }]);
  });

  it('remembers a newer version of the same content without calling it a change', async () => {
    await apply([{ id: 'a', data: 'x', version: 5 }]);
    expect(await apply([{ id: 'a', data: 'x', version: 9 }])).toMatchObject({ unchanged: 1 });
    expect(await lastChange()).toBe(1);
    expect(await apply([{ id: 'a', data: 'between', version: 7 }])).toMatchObject({ unchanged: 1 });
    expect(await rows()).toMatchObject([{ data: 'x', change_no: '1' }]);
  });

  it('keeps a deletion that came before its creation', async () => {
    await apply([{ id: 'a', deleted: true, version: 8 }]);
    await apply([{ id: 'a', data: 'late', version: 3 }]);
    expect(await rows()).toMatchObject([{ deleted: true, data: null }]);
    expect(await apply([{ id: 'a', data: 'again', version: 12 }])).toMatchObject({ created: 1 });
    expect(await rows()).toMatchObject([{ deleted: false, data: 'again' }]);
  });

  it('makes nothing of the deletion of what it never knew', async () => {
    expect(await apply([{ id: 'ghost', deleted: true }])).toMatchObject({ unchanged: 1, deleted: 0 });
    expect(await rows()).toEqual([]);
  });

  it('takes the newest of an id that comes twice in a page', async () => {
    expect(
      await apply([
        { id: 'a', data: 'first' },
        { id: 'a', data: 'second' },
      ]),
    ).toMatchObject({ created: 1 });
    expect(
      await apply([
        { id: 'b', data: 'newer', version: 2 },
        { id: 'b', data: 'older', version: 1 },
      ]),
    ).toMatchObject({ created: 1 });
    expect(await rows()).toMatchObject([{ data: 'second' }, { data: 'newer' }]);
  });

  it('keeps partitions apart', async () => {
    await apply([{ id: 'a', data: 1 }], 'one');
    await apply([{ id: 'a', data: 2 }], 'two');
    expect(await harness.stored(connection.id)).toEqual(
      new Map([
        ['one/a', 1],
        ['two/a', 2],
      ]),
    );
  });

  it('stores text that the database refuses, with the bad part replaced', async () => {
    await apply([{ id: 'a\0b', data: { 'k\0': 'x\0y', half: 'a\ud800b', whole: '😀', backslash: '\\u0000', separator: '\x1e' } }]);
    expect(await rows()).toMatchObject([
      { external_id: 'a\ufffdb', data: { 'k\ufffd': 'x\ufffdy', half: 'a\ufffdb', whole: '😀', backslash: '\\u0000', separator: '\x1e' } },
    ]);
  });

  it('refuses a record without an id', async () => {
    await expect(apply([{ id: '', data: 1 }])).rejects.toMatchObject({ code: 'provider_bad_answer' });
  });

  it('goes with its connection', async () => {
    await apply([{ id: 'a', data: 1 }]);
    await harness.query('DELETE FROM connections WHERE id = $1', [connection.id]);
    expect(await rows()).toEqual([]);
    await apply([{ id: 'a', data: 'of nobody' }]); // an event that comes late
    expect(await rows()).toEqual([]);
  });

  it('looks records up by their whole key, and could not through the index of the feed', async () => {
    const params = `'${connection.id}', 'items', ''`;
    const same = `${params}, '{a}', '', NULL, now(), '${connection.id}', 1, 1, NULL, NULL, NULL`;
    const runner = harness.database.dataSource.createQueryRunner();
    const planOf = async (sql: string, values: string) => {
      await runner.query(`PREPARE looked AS ${sql}`);
      const lines = (await runner.query(`EXPLAIN EXECUTE looked (${values})`)) as { 'QUERY PLAN': string }[];
      await runner.query('DEALLOCATE looked');
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    };
    await runner.startTransaction();
    try {
      await runner.query('SET LOCAL plan_cache_mode = force_generic_plan');
      await runner.query('SET LOCAL enable_seqscan = off');
      const byKey = /records_pkey on records.*\n.*external_id = /;
      expect(await planOf(APPLY_BATCH, `${params}, '{a}', '', NULL, now(), '1', NULL, NULL, NULL`)).toMatch(byKey);
      expect(await planOf(STORE_NEW_PAGE, `${params}, '{a}', '', NULL, now(), '1', '${connection.id}', 1, 1, NULL, NULL, NULL`)).toMatch(
        byKey,
      );
      expect(await planOf(STORE_SAME_PAGE, same)).toMatch(byKey);
      expect(await planOf(FEED, `'${connection.id}', 'items', 0, 100, NULL`)).toMatch(/records_feed on records/);
      await runner.query('ALTER TABLE records DROP CONSTRAINT records_pkey');
      expect(await planOf(STORE_SAME_PAGE, same)).not.toMatch(/records_feed/);
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  });
});
