import { Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { ConnectionRef } from '../../contract';
import { nextSlot } from './schedule-slots';
import { FakeRemote } from '../testing/fake-remote';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';

Logger.overrideLogger(false);

describe('the scheduler', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let provider: string;
  let remote: FakeRemote;

  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.query('DELETE FROM connections');
    process = harness.process();
    remote = new FakeRemote();
    remote.list().put('a', 1);
    provider = harness.provider(remote.sync());
  });

  const connected = async (): Promise<ConnectionRef> => {
    const connection = await harness.connect(provider);
    await process.schedules.enable(connection.id);
    return connection;
  };
  const makeDue = (column = 'next_incremental_at') =>
    harness.query(`UPDATE sync_schedules SET ${column} = now() - interval '1 second', next_due_at = now() - interval '1 second'`);
  const runs = () =>
    harness.query<{ type: string; trigger: string; slot: string; status: string; connection_id: string }>(
      'SELECT type, trigger, slot, status, connection_id FROM sync_runs',
    );
  const schedule = async () => {
    const [row] = await harness.query<{ failures: number; enabled: boolean; wait: number; full_wait: number }>(
      `SELECT failures, enabled, extract(epoch FROM next_due_at - now())::float AS wait, extract(epoch FROM next_full_at - now())::float AS full_wait FROM sync_schedules`,
    );
    return row as NonNullable<typeof row>;
  };

  it('queues an incremental run for what is due, and nothing for what is not', async () => {
    const due = await connected();
    await makeDue();
    await connected();
    expect(await process.scheduler.queueDue()).toBe(1);
    expect(await runs()).toMatchObject([{ type: 'incremental', trigger: 'schedule', status: 'queued', connection_id: due.id }]);
    expect(await process.scheduler.queueDue()).toBe(0);
  });

  it('lets no full run fall away for one that is queued or running', async () => {
    const connection = await connected();
    const ask = () => process.service.request(connection.id, { type: 'incremental', trigger: 'webhook' });
    await ask();
    await makeDue('next_full_at');
    await process.scheduler.queueDue();
    expect(await runs()).toMatchObject([{ type: 'full', status: 'queued' }]);
    await process.drain();
    await harness.query('DELETE FROM sync_runs');

    await ask();
    remote.beforePage = async () => {
      remote.beforePage = () => undefined;
      await makeDue('next_full_at');
      await process.scheduler.queueDue();
    };
    await process.step();
    expect(await process.service.list({ connectionId: connection.id, limit: 5 })).toMatchObject([
      { type: 'full', status: 'queued', trigger: 'schedule' },
      { type: 'incremental', status: 'succeeded' },
    ]);
  });

  it('lets no run over everything fall away for one over some of it', async () => {
    const connection = await connected();
    const ask = () => process.service.request(connection.id, { type: 'incremental', trigger: 'webhook', resources: ['items'] });
    const listed = async () =>
      (await process.service.list({ connectionId: connection.id, limit: 5 })).map((run) => [run.status, run.resources]);
    await ask();
    await makeDue();
    await process.scheduler.queueDue();
    expect(await listed()).toEqual([['queued', []]]);
    await process.drain();
    await harness.query('DELETE FROM sync_runs');

    await ask();
    remote.beforePage = async () => {
      remote.beforePage = () => undefined;
      await makeDue();
      await process.scheduler.queueDue();
    };
    await process.step();
    expect(await listed()).toEqual([
      ['queued', []],
      ['succeeded', ['items']],
    ]);
  });

  it('queues a full run when the week is over', async () => {
    await connected();
    await makeDue('next_full_at');
    await process.scheduler.queueDue();
    expect(await runs()).toMatchObject([{ type: 'full' }]);
    const { full_wait: wait } = await schedule();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(7 * 86_400);
  });

  it('makes one run a connection and slot with five schedulers at once', async () => {
    for (let i = 0; i < 40; i++) await connected();
    await makeDue();
    const schedulers = Array.from({ length: 5 }, () => harness.process().scheduler);
    await Promise.all(schedulers.map((scheduler) => scheduler.queueDue()));
    const found = await runs();
    expect(found).toHaveLength(40);
    expect(new Set(found.map((run) => `${run.connection_id} ${run.slot}`)).size).toBe(40);
  });

  it('makes no second run for a slot whose first has ended', async () => {
    await connected();
    await makeDue();
    const before = await harness.query('SELECT * FROM sync_schedules');
    await process.scheduler.queueDue();
    await process.drain();
    // a scheduler that was paused since before the first one moved the row on
    await harness.query('UPDATE sync_schedules SET next_incremental_at = $1, next_due_at = $2', [
      before[0]?.['next_incremental_at'],
      before[0]?.['next_due_at'],
    ]);
    await process.scheduler.queueDue();
    expect(await runs()).toHaveLength(1);
  });

  it('lets a slot pass while a run is under way', async () => {
    const connection = await connected();
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    await makeDue();
    await process.scheduler.queueDue();
    expect(await runs()).toMatchObject([{ trigger: 'manual' }]);
    expect((await schedule()).wait).toBeGreaterThan(0);
  });

  it('pauses longer with every failure in a row, up to a day, and is back at once after a success', async () => {
    const connection = await connected();
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      await process.schedules.failed(connection.id);
      waits.push((await schedule()).wait);
    }
    expect(waits[0]).toBeLessThanOrEqual(900);
    expect(waits[3]).toBeGreaterThan(900 * 7);
    expect(Math.max(...waits)).toBeLessThanOrEqual(86_400 + 900);
    waits.slice(1).forEach((wait, i) => expect(wait).toBeGreaterThan((waits[i] ?? 0) - 10));
    await process.schedules.succeeded(connection.id);
    expect((await schedule()).failures).toBe(0);
  });

  it('switches off what is not connected, and on again at the next connect', async () => {
    const connection = await connected();
    await harness.query(`UPDATE connections SET status = 'needs_reauth'`);
    await makeDue();
    await process.scheduler.queueDue();
    expect(await runs()).toEqual([]);
    expect((await schedule()).enabled).toBe(false);
    await process.schedules.enable(connection.id);
    expect(await schedule()).toMatchObject({ enabled: true, failures: 0 });
  });

  it('finds a connection whose schedule was never made', async () => {
    await harness.connect(provider);
    await process.scheduler.tidy();
    expect((await schedule()).enabled).toBe(true);
  });

  it('keeps to the interval of the connection where it has its own', async () => {
    await connected();
    await harness.query('UPDATE sync_schedules SET incremental_seconds = 60');
    await makeDue();
    await process.scheduler.queueDue();
    expect((await schedule()).wait).toBeLessThanOrEqual(60);
  });

  it('looks at what is due by its index, however many there are', async () => {
    await harness.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       SELECT gen_random_uuid(), 't', 'u', $1, i::text, 'n', i::text, 'oauth2', 'connected' FROM generate_series(1, 5000) i`,
      [provider],
    );
    await harness.query(
      `INSERT INTO sync_schedules (connection_id, next_incremental_at, next_full_at, next_due_at)
       SELECT id, t, t + interval '1 day', t FROM (SELECT id, now() + (random() * 98 - 1) * interval '1 minute' AS t FROM connections) c`,
    );
    await harness.query('ANALYZE sync_schedules');
    const plan = await harness.query<{ 'QUERY PLAN': string }>(
      'EXPLAIN SELECT * FROM sync_schedules s WHERE s.enabled AND s.next_due_at <= now() ORDER BY s.next_due_at LIMIT 500',
    );
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('sync_schedules_due');
    const [{ due } = { due: 0 }] = await harness.query<{ due: number }>(
      'SELECT count(*)::int AS due FROM sync_schedules WHERE next_due_at <= now()',
    );
    expect(await process.scheduler.queueDue()).toBeGreaterThanOrEqual(due);
  });
});

describe('slots', () => {
  it('are spread evenly over the interval', () => {
    const interval = 900;
    const perSecond = new Array<number>(interval).fill(0);
    for (let i = 0; i < 90_000; i++) {
      const second = Math.floor((nextSlot(randomUUID(), 1_700_000_000_000, interval) / 1_000) % interval);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(200); // the mean is 100
  });

  it('come one interval after the other', () => {
    const id = randomUUID();
    const first = nextSlot(id, 1_700_000_000_000, 900);
    expect(first).toBeGreaterThan(1_700_000_000_000);
    expect(nextSlot(id, first, 900)).toBe(first + 900_000);
    expect(nextSlot(id, first - 1, 900)).toBe(first);
  });
});
