import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database';
import { systemClock, type Clock } from '../../../clock';
import { AuditLog } from '../../audit';
import { LeaseLostError, type JobEngine, type WakeUp } from '../../jobs';
import { ReplayJobs } from './replay-jobs';
import { BATCH, LIVE_AT_MOST } from './replay-run.queries';
import { MOST_OPEN, ReplayRuns, type ReplayRun } from './replay-runs';
import type { EventFilter } from './webhook-event.list';

const BOSS = { tenant: 'acme', name: 'acme/boss' };
const wakeUp = { wake: () => undefined } as unknown as WakeUp;

/** What happens between two steps of a run. */
type Between = () => Promise<void>;

describe('a replay as a run', () => {
  let database: TestDatabase;
  let runs: ReplayRuns;

  beforeAll(async () => {
    database = await createTestDatabase();
    runs = new ReplayRuns(database.dataSource, wakeUp, new AuditLog(database.dataSource, systemClock));
  });
  beforeEach(async () => {
    for (const table of ['webhook_events', 'webhook_payloads', 'webhook_replays']) await query(`DELETE FROM ${table}`);
  });
  afterAll(() => database.close());

  const query = <Row extends object>(sql: string, params: unknown[] = []) => database.dataSource.query<Row[]>(sql, params);
  const count = async (where: string) => (await query<{ n: number }>(`SELECT count(*)::int AS n FROM webhook_events WHERE ${where}`))[0]?.n;

  async function events(n: number, { tenant = 'acme', type = 'order.paid', error = 'Error: gone', status = 'dead' } = {}): Promise<void> {
    const ids = Array.from({ length: n }, () => uuidv7());
    await query(`INSERT INTO webhook_payloads (id, headers, body) SELECT unnest($1::uuid[]), '{}', convert_to('{}', 'utf8')`, [ids]);
    await query(
      `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, tenant, status, attempts, next_attempt_at, received_at, last_error)
       SELECT id, id, 'shop', id::text, $2, $3, $4, CASE WHEN $4 = 'received' THEN 0 ELSE 8 END, now(), now(), $5 FROM unnest($1::uuid[]) id`,
      [ids, type, tenant, status, error],
    );
  }

  /** A process whose clock lets something happen, or ends it, wherever a run waits. */
  function process(between: Between, now = systemClock.now) {
    const clock: Clock = { ...systemClock, now, sleep: between };
    const jobs = new ReplayJobs(database.dataSource, undefined as unknown as JobEngine, wakeUp, clock);
    const claim = async () => {
      const request = { room: 1, held: [], leaseSeconds: 30, newLease: () => uuidv7(), signal: new AbortController().signal };
      return (await jobs.claim(request)).jobs[0];
    };
    return { jobs, claim };
  }
  /** Lets the leases of whoever was killed end. */
  const endLeases = () => query(`UPDATE webhook_replays SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL`);

  async function workOff(between: Between): Promise<void> {
    const { jobs, claim } = process(between);
    const job = await claim();
    if (job) await jobs.run(job, new AbortController().signal);
  }
  /** As handlers would: the batch gets its outcome. */
  const settle = (status = 'completed') =>
    query(`UPDATE webhook_events SET status = $1, attempts = 1 WHERE replay_id IS NOT NULL`, [status]);
  const start = (filter: EventFilter = { status: 'dead' }) => runs.start(filter, BOSS);
  const now = (run: ReplayRun) => runs.find(run.id, BOSS.tenant);

  it('puts back no more than a batch at a time, each event once, and counts it once, killed between any two steps', async () => {
    const total = 2 * BATCH + 50;
    await events(total);
    const run = await start();
    expect(run).toMatchObject({ state: 'queued', total, done: 0, tenant: 'acme', actor: 'acme/boss' });
    const seen = new Map<string, number>();
    let kills = 0;
    const killed: Between = async () => {
      const back = await query<{ id: string }>(`SELECT id FROM webhook_events WHERE replay_id = $1 AND status = 'received'`, [run.id]);
      expect(back.length).toBeLessThanOrEqual(BATCH);
      for (const { id } of back) seen.set(id, (seen.get(id) ?? 0) + 1);
      await query(
        `UPDATE webhook_events SET attempts = 1, status = CASE WHEN right(id::text, 1) = 'a' THEN 'failed' ELSE 'completed' END, next_attempt_at = now() + interval '1 hour'
         WHERE replay_id = $1 AND status = 'received'`,
        [run.id],
      );
      kills++;
      throw new Error('killed');
    };
    for (let life = 0; life < 20 && (await now(run)).endedAt === null; life++) {
      await workOff(killed).catch(() => undefined);
      await endLeases();
    }
    const failed = await count(`status = 'failed'`);
    expect(await now(run)).toMatchObject({ state: 'completed', total, done: total - (failed ?? 0), failed, skipped: 0 });
    expect(kills).toBeGreaterThanOrEqual(3);
    expect([seen.size, Math.max(...seen.values())]).toEqual([total, 1]);
    expect(await count('replay_id IS NOT NULL')).toBe(0);
  });

  it('waits while what comes in now waits', async () => {
    await events(3);
    const run = await start();
    await events(LIVE_AT_MOST, { status: 'received', type: 'live' });
    let looks = 0;
    await workOff(async () => {
      looks++;
      if (looks <= 2) expect(await count('replay_id IS NOT NULL')).toBe(0);
      if (looks === 2) await query(`UPDATE webhook_events SET status = 'completed' WHERE type = 'live'`);
      await settle();
    });
    expect(looks).toBeGreaterThan(2);
    expect(await now(run)).toMatchObject({ state: 'completed', done: 3 });
  });

  it('when it is cancelled counts what is back already, and leaves the rest', async () => {
    await events(BATCH + 10);
    const run = await start();
    await workOff(async () => {
      await runs.cancel(run.id, BOSS.tenant);
      await settle();
    });
    expect(await now(run)).toMatchObject({ state: 'cancelled', done: BATCH, failed: 0 });
    expect(await count(`status = 'dead'`)).toBe(10);
    expect((await runs.cancel(run.id, BOSS.tenant)).state).toBe('cancelled');
  });

  it('says what could not be replayed when its turn came', async () => {
    await events(5);
    const run = await start();
    await query('DELETE FROM webhook_payloads WHERE id = (SELECT id FROM webhook_payloads LIMIT 1)');
    await workOff(async () => void (await settle('dead')));
    expect(await now(run)).toMatchObject({ state: 'completed', total: 5, done: 0, failed: 4, skipped: 1 });
  });

  it('has one run of an organization in work at a time: who asks for many leaves the others their turn', async () => {
    await events(1);
    await events(1, { tenant: 'globex' });
    const mine = [await start(), await start()];
    const theirs = await runs.start({ status: 'dead' }, { tenant: 'globex', name: 'globex/boss' });
    const { claim, jobs } = process(() => Promise.resolve());
    const [first, second] = [await claim(), await claim()];
    expect([first?.id, second?.id, await claim()]).toEqual([mine[0]?.id, theirs.id, undefined]);
    await jobs.release(second!);
    await query(`UPDATE webhook_replays SET state = 'completed', ended_at = now(), lease_owner = NULL WHERE id = $1`, [first!.id]);
    expect([(await claim())?.id, (await claim())?.id].sort()).toEqual([mine[1]?.id, theirs.id].sort());
  });

  it('gives its place to the next one after a while, and goes on after it', async () => {
    await events(BATCH + 1);
    const long = await start();
    const next = await start({ status: 'dead', type: 'none' });
    let aheadMs = 0;
    const later: Between = async () => {
      aheadMs += 60_000;
      await settle();
    };
    const { claim, jobs } = process(later, () => systemClock.now() + aheadMs);
    const order: string[] = [];
    for (let job = await claim(); job && order.length < 10; job = await claim()) {
      order.push(job.id);
      await jobs.run(job, new AbortController().signal);
    }
    expect(order.slice(0, 3)).toEqual([long.id, next.id, long.id]);
    expect(await now(long)).toMatchObject({ state: 'completed', done: BATCH + 1 });
  });

  it('is refused where too many of the organization are not over yet', async () => {
    await events(1);
    for (let each = 0; each < MOST_OPEN; each++) await start();
    await expect(start()).rejects.toMatchObject({ code: 'too_many_requests' });
    const [first] = await runs.list(BOSS.tenant, 1);
    await query(`UPDATE webhook_replays SET state = 'completed' WHERE id = $1`, [first!.id]);
    const together = await Promise.allSettled([start(), start(), start()]);
    expect(together.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await runs.start({ status: 'dead' }, { tenant: 'globex', name: 'globex/boss' })).toMatchObject({ state: 'queued' });
  });

  it('lets a worker whose lease went to another change nothing', async () => {
    await events(2);
    const run = await start();
    const stale = process(() => Promise.resolve());
    const job = await stale.claim();
    await endLeases();
    await workOff(async () => void (await settle()));
    await expect(stale.jobs.run(job!, new AbortController().signal)).rejects.toThrow(LeaseLostError);
    await stale.jobs.release(job!);
    expect(await now(run)).toMatchObject({ state: 'completed', done: 2 });
  });

  it('takes the groups that were chosen, of the organization alone', async () => {
    await events(2, { error: 'Error: order 17 is gone' });
    await events(2, { error: 'Error: other' });
    await events(2, { type: 'order.refunded', error: 'Error: order 18 is gone' });
    await events(2, { tenant: 'globex', error: 'Error: order 19 is gone' });
    const groups = ['order.paid', 'order.refunded'].map((type) => ({
      provider: 'shop',
      type,
      typeIsExact: true,
      error: 'Error: order # is gone',
    }));
    const run = await start({ groups });
    expect(run.total).toBe(4);
    await workOff(async () => void (await settle()));
    expect(await now(run)).toMatchObject({ state: 'completed', done: 4 });
    expect(await count(`status = 'dead' AND tenant = 'globex'`)).toBe(2);
    await expect(runs.find(run.id, 'globex')).rejects.toMatchObject({ code: 'not_found' });
    await expect(runs.cancel(run.id, 'globex')).rejects.toMatchObject({ code: 'not_found' });
    expect(await runs.list('globex', 10)).toEqual([]);
    expect((await runs.list(undefined, 10)).map(({ id }) => id)).toEqual([run.id]);
  });

  it('stands in the audit when it is asked for and when it is cancelled', async () => {
    await events(1);
    const run = await start();
    await runs.cancel(run.id, BOSS.tenant);
    await runs.cancel(run.id, BOSS.tenant);
    const entries = await query<{ action: string }>('SELECT action FROM audit_entries WHERE target = $1 ORDER BY id', [`replay:${run.id}`]);
    expect(entries.map(({ action }) => action)).toEqual(['webhook.replay', 'webhook.replay-cancel']);
  });
});
