import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { IntegrationError } from '../../errors';
import { VirtualClock } from '../outbound/testing/virtual-clock';
import type { Claim, ClaimedJob, ClaimRequest, JobKind, NextTry } from './job-kind';
import { LeaseLostError } from './lease-lost-error';
import { JobWorker } from './job-worker';
import { ProcessPresence } from './process-presence';

interface Row extends ClaimedJob {
  readonly lease: number;
}

/** The smallest kind there can be, on a table of its own. */
class TestJobs implements JobKind<Row> {
  readonly topic = 'actions';
  readonly options = {
    concurrency: 2,
    leaseSeconds: 30,
    maxAttempts: 3,
    backOff: { firstMs: 1_000, maxMs: 60_000, jitter: 0 },
    graceMs: 5_000,
  };
  work: (job: Row, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  held: number[] = [];

  constructor(private readonly database: TestDatabase) {}

  async claim({ room, held, leaseSeconds }: ClaimRequest<Row>): Promise<Claim<Row>> {
    this.held.push(held.length);
    const jobs: Row[] = await this.database.dataSource.query(
      `WITH claimed AS (UPDATE test_jobs SET status = 'running', attempts = attempts + 1, lease = lease + 1, lease_until = now() + make_interval(secs => $2)
         WHERE id IN (SELECT id FROM test_jobs WHERE (status = 'queued' AND due <= now()) OR (status = 'running' AND lease_until < now())
                      ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, lease, attempts) SELECT * FROM claimed ORDER BY id`,
      [room, leaseSeconds],
    );
    return { jobs, more: jobs.length === room };
  }

  async run(job: Row, signal: AbortSignal): Promise<void> {
    await this.work(job, signal);
    await this.set(job, `status = 'done'`);
  }

  async failed(job: Row, _error: unknown, next: NextTry): Promise<void> {
    await (next === 'dead'
      ? this.set(job, `status = 'dead'`)
      : this.set(job, `status = 'queued', due = now() + make_interval(secs => ${next.waitMs / 1_000})`));
  }

  async release(job: Row): Promise<void> {
    await this.set(job, `status = 'queued', attempts = attempts - 1`);
  }

  async extend(jobs: readonly Row[], leaseSeconds: number): Promise<readonly Row[]> {
    const kept: { id: string; lease: number }[] = await this.database.dataSource.query(
      `WITH kept AS (UPDATE test_jobs t SET lease_until = now() + make_interval(secs => $3) FROM unnest($1::uuid[], $2::int[]) AS h (id, lease)
         WHERE t.id = h.id AND t.lease = h.lease AND t.status = 'running' RETURNING t.id, t.lease) SELECT * FROM kept`,
      [jobs.map(({ id }) => id), jobs.map(({ lease }) => lease), leaseSeconds],
    );
    return jobs.filter(({ id, lease }) => !kept.some((row) => row.id === id && row.lease === lease));
  }

  private set({ id, lease }: Row, what: string): Promise<unknown> {
    return this.database.dataSource.query(`UPDATE test_jobs SET ${what} WHERE id = $1 AND lease = $2 AND status = 'running'`, [id, lease]);
  }
}

let database: TestDatabase;
let clock: VirtualClock;
let kind: TestJobs;
let worker: JobWorker<Row>;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.dataSource.query(
    `CREATE TABLE test_jobs (id uuid PRIMARY KEY, status text NOT NULL DEFAULT 'queued', attempts int NOT NULL DEFAULT 0, lease int NOT NULL DEFAULT 0,
       lease_until timestamptz, due timestamptz NOT NULL DEFAULT now())`,
  );
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.dataSource.query('DELETE FROM test_jobs');
  clock = new VirtualClock();
  kind = new TestJobs(database);
  worker = new JobWorker(kind, clock, new ProcessPresence(undefined, clock));
});
afterEach(() => worker.stop());

async function queue(count = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7());
  for (const id of ids) await database.dataSource.query('INSERT INTO test_jobs (id) VALUES ($1)', [id]);
  return ids;
}

const rows = (): Promise<{ status: string; attempts: number; lease: number; wait: number }[]> =>
  database.dataSource.query(
    'SELECT status, attempts, lease, round(extract(epoch FROM due - now()))::int AS wait FROM test_jobs ORDER BY id',
  );

/** A promise that the test resolves, and one that says that it is waited for. */
function gate() {
  let open = () => {};
  let reached = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const waiting = new Promise<void>((resolve) => (reached = resolve));
  return { open, waiting, wait: () => (reached(), opened) };
}

it('does all there is, never more at the same time than it may, and tells the strategy what is in work', async () => {
  await queue(5);
  let now = 0;
  let most = 0;
  kind.work = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
  };
  await worker.look();
  await worker.idle();
  expect((await rows()).map(({ status }) => status)).toEqual(Array(5).fill('done'));
  expect(most).toBe(2);
  expect(Math.max(...kind.held)).toBe(1);
});

it('looks again for a call that comes just as a look ends', async () => {
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await Promise.resolve();
  };
  for (let between = 0; between < 10; between++) {
    let claims = 0;
    let answer = () => {};
    kind.claim = () => {
      claims++;
      return new Promise((resolve) => (answer = () => resolve({ jobs: [], more: false })));
    };
    void worker.look();
    answer();
    await turns(between);
    void worker.look();
    await turns(20);
    expect(claims).toBe(2);
    answer();
    await worker.idle();
  }
});

it('tries again with growing pauses, and is dead when the tries are used up', async () => {
  await queue();
  kind.work = () => Promise.reject(new Error('no'));
  for (const expected of [
    { status: 'queued', attempts: 1, wait: 1 },
    { status: 'queued', attempts: 2, wait: 2 },
    { status: 'dead', attempts: 3, wait: 0 },
  ]) {
    await database.dataSource.query('UPDATE test_jobs SET due = now()');
    await worker.look();
    await worker.idle();
    expect((await rows())[0]).toMatchObject(expected);
  }
});

it('is dead at once where no further try can help', async () => {
  await queue();
  kind.work = () => Promise.reject(new IntegrationError('invalid_request'));
  await worker.look();
  await worker.idle();
  expect((await rows())[0]).toMatchObject({ status: 'dead', attempts: 1 });
});

it('extends the lease of what takes long', async () => {
  await queue();
  const { open, waiting, wait } = gate();
  kind.work = wait;
  await worker.look();
  await waiting;
  await database.dataSource.query(`UPDATE test_jobs SET lease_until = now() - interval '1 second'`);
  const extended = jest.spyOn(kind, 'extend');
  await clock.advance(10_000);
  await extended.mock.results[0]?.value;
  const [row] = await database.dataSource.query<{ left: number }[]>(
    'SELECT extract(epoch FROM lease_until - now())::int AS left FROM test_jobs',
  );
  expect(row?.left).toBeGreaterThan(20);
  open();
  await worker.idle();
});

it('stops a job whose lease somebody else has taken, and writes nothing of it', async () => {
  await queue();
  const { waiting, wait } = gate();
  let reason: unknown;
  kind.work = (_job, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject((reason = signal.reason) as Error));
      void wait();
    });
  await worker.look();
  await waiting;
  await database.dataSource.query('UPDATE test_jobs SET lease = lease + 1');
  await clock.advance(10_000);
  await worker.idle();
  expect(reason).toBeInstanceOf(LeaseLostError);
  expect((await rows())[0]).toMatchObject({ status: 'running', attempts: 1, lease: 2 });
});

it('lets what is in work end within its grace when it stops, then gives it back without counting the try', async () => {
  await queue(3);
  const { waiting, wait } = gate();
  kind.work = (job, signal) =>
    job.attempts === 1 && signal.aborted
      ? Promise.resolve()
      : new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          void wait();
        });
  await worker.look();
  await waiting;
  let stopped = false;
  const stopping = worker.stop().then(() => (stopped = true));
  await clock.advance(4_999);
  expect(stopped).toBe(false);
  await clock.advance(1);
  await stopping;
  expect((await rows()).map(({ status, attempts }) => ({ status, attempts }))).toEqual(Array(3).fill({ status: 'queued', attempts: 0 }));
});

it('runs what it is handed with a lease, beside what it claims', async () => {
  const [id] = await queue();
  await database.dataSource.query(
    `UPDATE test_jobs SET status = 'running', lease = 7, attempts = 1, lease_until = now() + interval '1 minute'`,
  );
  await worker.run({ id: id ?? '', lease: 7, attempts: 1 });
  expect((await rows())[0]).toMatchObject({ status: 'done', lease: 7 });
});

it('gives back what it is handed after the stop, and runs nothing of it', async () => {
  const [id] = await queue();
  await database.dataSource.query(
    `UPDATE test_jobs SET status = 'running', lease = 7, attempts = 1, lease_until = now() + interval '1 minute'`,
  );
  let ran = false;
  kind.work = (_job, signal) => {
    signal.throwIfAborted();
    ran = true;
    return Promise.resolve();
  };
  await worker.stop();
  await worker.run({ id: id ?? '', lease: 7, attempts: 1 });
  expect(ran).toBe(false);
  expect((await rows())[0]).toMatchObject({ status: 'queued', attempts: 0 });
});

it('is busy while every place is taken; what is handed over takes none', async () => {
  await queue(3);
  const gates = [gate(), gate(), gate()];
  let begun = 0;
  kind.work = () => gates[begun++]?.wait() ?? Promise.resolve();
  void worker.run({ id: uuidv7(), lease: 1, attempts: 1 });
  await gates[0]?.waiting;
  expect(worker.busy).toBe(false);
  await worker.look();
  await Promise.all(gates.map(({ waiting }) => waiting));
  expect([worker.busy, worker.inWork.length]).toEqual([true, 3]);
  for (const { open } of gates) open();
  await worker.idle();
  expect(worker.busy).toBe(false);
});
