import { Logger } from '@nestjs/common';
import { FakeRemote } from './testing/fake-remote';
import { FeedReader, SyncHarness } from './testing/sync-harness';

Logger.overrideLogger(false);

describe('a page in one statement', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());

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
