import { Logger } from '@nestjs/common';
import type { ConnectionRef } from '../../contract';
import { FakeRemote } from '../testing/fake-remote';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';

Logger.overrideLogger(false);

describe('asking for a sync', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let remote: FakeRemote;
  let connection: ConnectionRef;

  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.query('DELETE FROM connections');
    process = harness.process();
    remote = new FakeRemote();
    remote.list().put('a', 1);
    connection = await harness.connect(harness.provider(remote.sync()));
  });

  const runs = () => process.service.list({ connectionId: connection.id, limit: 10 });
  /** Asks while a run is under way. */
  const whileRunning = async (ask: () => Promise<unknown>) => {
    await process.service.request(connection.id, { type: 'incremental', trigger: 'schedule' });
    remote.beforePage = async () => {
      remote.beforePage = () => undefined;
      await ask();
    };
    await process.step();
  };

  it('queues one run, and answers the next with the same', async () => {
    const first = await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const second = await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.run.id).toBe(first.run.id);
  });

  it('lists runs of one and the same millisecond page by page, none left out', async () => {
    await harness.query(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, created_at)
       SELECT gen_random_uuid(), $1, 'acme', 'remote', 'full', 'manual', 'succeeded', '2026-01-01T00:00:00.000Z'::timestamptz + n * interval '100 microseconds' FROM generate_series(0, 8) n`,
      [connection.id],
    );
    const seen: string[] = [];
    for (let before: { at: string; id: string } | undefined; ;) {
      const page = await process.service.list({ connectionId: connection.id, limit: 2, before });
      const last = page.at(-1);
      if (!last) break;
      seen.push(...page.map(({ id }) => id));
      before = { at: last.createdAt.toISOString(), id: last.id };
    }
    expect(new Set(seen).size).toBe(9);
    expect(seen).toHaveLength(9);
  });

  it('makes one run of many that ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => process.service.request(connection.id, { type: 'incremental', trigger: 'webhook' })),
    );
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(await runs()).toHaveLength(1);
  });

  it('widens a queued run: a full one, all resources, sooner', async () => {
    await process.service.request(connection.id, { type: 'incremental', trigger: 'schedule', resources: ['x'] });
    const { run: both } = await process.service.request(connection.id, { type: 'incremental', trigger: 'webhook', resources: ['y'] });
    expect([...both.resources].sort()).toEqual(['x', 'y']);
    const { run } = await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    expect(run).toMatchObject({ type: 'full', resources: [] });
    expect(await harness.query('SELECT priority FROM sync_runs')).toEqual([{ priority: 0 }]);
  });

  it('makes one further run of a burst that comes while one is running', async () => {
    await whileRunning(() =>
      Promise.all(Array.from({ length: 10 }, () => process.service.request(connection.id, { type: 'incremental', trigger: 'webhook' }))),
    );
    expect((await runs()).map(({ status, trigger }) => [status, trigger])).toEqual([
      ['queued', 'webhook'],
      ['succeeded', 'schedule'],
    ]);
    await process.drain();
    expect(await runs()).toHaveLength(2);
  });

  it('answers a person who starts what is running with that run', async () => {
    let answer: { created: boolean } | undefined;
    await whileRunning(async () => (answer = await process.service.request(connection.id, { type: 'incremental', trigger: 'manual' })));
    expect(answer).toMatchObject({ created: false, run: { status: 'running' } });
    expect(await runs()).toHaveLength(1);
  });

  it('follows a running incremental run with the full one that was asked for', async () => {
    const answers: { run: { id: string; status: string; type: string }; created: boolean }[] = [];
    await whileRunning(async () => {
      for (let i = 0; i < 2; i++) answers.push(await process.service.request(connection.id, { type: 'full', trigger: 'manual' }));
      expect(await process.step()).toBe('idle'); // it waits for the one under way
    });
    expect(answers).toMatchObject([
      { created: true, run: { status: 'queued', type: 'full' } },
      { created: false, run: { id: answers[0]?.run.id } },
    ]);
    await process.drain();
    expect((await runs()).map(({ id, status, type }) => [id === answers[0]?.run.id, status, type])).toEqual([
      [true, 'succeeded', 'full'],
      [false, 'succeeded', 'incremental'],
    ]);
  });

  it('keeps what a person asks for of other resources than those that are being read', async () => {
    await process.service.request(connection.id, { type: 'incremental', trigger: 'webhook', resources: ['items'] });
    remote.beforePage = async () => {
      remote.beforePage = () => undefined;
      expect(await process.service.request(connection.id, { type: 'incremental', trigger: 'manual' })).toMatchObject({ created: true });
    };
    await process.drain();
    expect((await runs()).map(({ status, resources }) => [status, resources])).toEqual([
      ['succeeded', []],
      ['succeeded', ['items']],
    ]);
  });

  it('ends what waits when the connection ends', async () => {
    await whileRunning(async () => {
      await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
      await process.cancel(connection.id);
    });
    await process.drain();
    expect((await runs()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  it('does first what a person waits for', async () => {
    const order: string[] = [];
    for (const trigger of ['schedule', 'webhook', 'manual'] as const) {
      const other = await harness.connect(connection.provider);
      remote.beforePage = ({ partition }) => void order.push(partition);
      await process.service.request(other.id, { type: 'full', trigger });
    }
    await process.drain();
    const finished = await harness.query<{ trigger: string }>('SELECT trigger FROM sync_runs ORDER BY finished_at');
    expect(finished.map(({ trigger }) => trigger)).toEqual(['manual', 'webhook', 'schedule']);
  });

  it('refuses for a connection that is not there or not connected', async () => {
    await harness.query(`UPDATE connections SET status = 'disconnected' WHERE id = $1`, [connection.id]);
    await expect(process.service.request(connection.id, { type: 'full', trigger: 'manual' })).rejects.toMatchObject({
      code: 'not_connected',
    });
    await expect(
      process.service.request('00000000-0000-7000-8000-000000000000', { type: 'full', trigger: 'manual' }),
    ).rejects.toMatchObject({ code: 'connection_not_found' });
  });

  it('belongs to the transaction that it is asked in', async () => {
    const failing = harness.database.dataSource.transaction(async (manager) => {
      await process.service.request(connection.id, { type: 'incremental', trigger: 'webhook' }, manager);
      throw new Error('the handler failed');
    });
    await expect(failing).rejects.toThrow('the handler failed');
    expect(await runs()).toEqual([]);
  });

  it('never deadlocks with a run, in whatever order a handler asks and applies', async () => {
    for (let i = 0; i < 60; i++) remote.list().put(`r${i}`, i);
    for (let i = 0; i < 30; i++) remote.list().put(`event${i}`, i);
    remote.pageSize = 2;
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const handler = (i: number) =>
      harness.database.dataSource.transaction(async (manager) => {
        const apply = () => process.records.apply(manager, connection, 'items', '', [{ id: `event${i}`, data: i }]);
        const ask = () => process.service.request(connection.id, { type: 'incremental', trigger: 'webhook' }, manager);
        for (const work of i % 2 ? [apply, ask] : [ask, apply]) await work();
      });
    await Promise.all([process.step(), ...Array.from({ length: 30 }, (_, i) => handler(i))]);
    expect((await harness.stored(connection.id)).size).toBe(91);
  });
});
