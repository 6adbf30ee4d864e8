import { check, notRun, type Arm, type Benchmark, type BenchmarkResult, type Check, type Services } from './lib/benchmark';
import { compareIds, described, isExact } from './lib/exactly-once';
import { assertAllTaken, LoadGenerator } from './lib/load';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { BENCH_TYPE, eventId } from './lib/stripe-delivery';
import { ACCOUNTS, hasBoth, openWorkbench, OUR_PATH, type Rival, type Workbench } from './lib/workbench';

const EVENTS = QUICK ? 4_000 : 20_000;
/** For the arm that would take minutes: the rate of fewer is its rate. */
const FEW_EVENTS = EVENTS / 10;
const DRAINED_WITHIN_MS = 180_000;
const POLL_MS = 10;

const OURS = 'ours';
const OURS_GUARDED = 'ours, each event of an object of its own';
const LIMIT = 'limit: 200-row SKIP LOCKED, effect and mark in one transaction';
const BULLMQ = 'bullmq, concurrency 50';

/** How the events of a round get there, and how their working off is begun. */
interface Drain {
  readonly name: string;
  readonly events: number;
  fill(series: string, count: number): Promise<void>;
  begin(series: string): Promise<void>;
  /** Before the next round. */
  settle?(): Promise<void>;
}

export const benchmark: Benchmark = {
  id: 'B3',
  title: `drain of ${EVENTS} stored events, the handler writes one row, exactly once`,
  async run(services: Services) {
    if (!hasBoth(services)) return { arms: [], checks: [notRun('B3', 'needs a Postgres server and Redis')] };
    // The second process takes the delivery that rings: it works nothing off.
    const bench = await openWorkbench({ services, members: [{}, { WORKERS: 'false' }] });
    const load = new LoadGenerator();
    try {
      return await measure(bench, load);
    } finally {
      load.stop();
      await bench.stop();
    }
  },
};

async function measure(bench: Workbench, load: LoadGenerator): Promise<Omit<BenchmarkResult, 'id'>> {
  const queue = async (name: string, file: string, env: Record<string, string>, events = EVENTS) =>
    rivalDrain(name, await bench.rival(file, env), events);
  const drains: Drain[] = [
    ourDrain(OURS, bench, load, { guarded: false }),
    ourDrain(OURS_GUARDED, bench, load, { guarded: true }),
    await queue(LIMIT, 'queue-limit.cjs', { CONCURRENCY: '1' }),
    await queue('the limit, two such loops', 'queue-limit.cjs', { CONCURRENCY: '2' }),
    await queue(BULLMQ, 'queue-bullmq.cjs', { CONCURRENCY: '50' }),
    await queue('bull, concurrency 50', 'queue-bull.cjs', { CONCURRENCY: '50' }),
    // The two share one queue of jobs, so each works only while it is its turn.
    await queue('graphile-worker, default', 'queue-graphile.cjs', { CONCURRENCY: '1', START: 'no' }, FEW_EVENTS),
    await queue('graphile-worker, concurrency 24', 'queue-graphile.cjs', { CONCURRENCY: '24', START: 'no' }, FEW_EVENTS * 3),
  ];
  const books: Check[] = [];
  const rounds = await interleave(
    drains.map((drain) => armOf(drain, bench, books)),
    ROUNDS,
  );
  const againstLimit = rounds.ratio(OURS, LIMIT);
  const againstBullmq = rounds.ratio(OURS, BULLMQ);
  return {
    arms: rounds.arms,
    checks: [
      check('ours / limit', '>= 0.8x', times(againstLimit), againstLimit.median >= 0.8),
      check('ours / bullmq', '>= 1.2x', times(againstBullmq), againstBullmq.median >= 1.2),
      check(
        'every event of every round took effect once',
        '0 lost, 0 twice',
        booksIn(books),
        books.every(({ ok }) => ok === true),
      ),
    ],
  };
}

function armOf(drain: Drain, bench: Workbench, books: Check[]): Arm {
  let number = 0;
  const short = drain.name
    .replace(/[^a-z]/gi, '')
    .slice(0, 14)
    .toLowerCase();
  return {
    name: drain.name,
    unit: 'events/s',
    round: async () => {
      const series = `b3_${short}_${number++}`;
      await bench.query('TRUNCATE bench_effects RESTART IDENTITY');
      await drain.fill(series, drain.events);
      await bench.query('CHECKPOINT').catch(() => undefined); // what was written to prepare is not to be paid while it is worked off
      const from = performance.now();
      await drain.begin(series);
      await untilAll(bench, drain.events);
      const ms = performance.now() - from;
      const found = await bench.query<{ event_id: string }>('SELECT event_id FROM bench_effects');
      const expected = Array.from({ length: drain.events }, (_, index) => eventId(series, index));
      const difference = compareIds(
        expected,
        found.map((row) => row.event_id),
      );
      books.push(check(drain.name, '0 lost, 0 twice', described(difference, drain.events), isExact(difference)));
      await drain.settle?.();
      return (drain.events * 1_000) / ms;
    },
  };
}

/** The sequence tells cheaply how far it is; the count decides. */
async function untilAll(bench: Workbench, events: number): Promise<void> {
  for (const end = Date.now() + DRAINED_WITHIN_MS; ;) {
    const [progress] = await bench.query<{ last: string }>('SELECT last_value AS last FROM bench_effects_no_seq');
    if (Number(progress?.last) >= events) {
      const [row] = await bench.query<{ count: string }>('SELECT count(*) FROM bench_effects');
      if (Number(row?.count) >= events) return;
    }
    if (Date.now() > end) throw new Error(`${progress?.last} of ${events} effects after ${DRAINED_WITHIN_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Stored as the inbox stores them, all but one; that one is delivered, and rings. */
function ourDrain(name: string, bench: Workbench, load: LoadGenerator, { guarded }: { guarded: boolean }): Drain {
  const port = bench.cluster.members[1]?.port ?? 0;
  const account: keyof typeof ACCOUNTS = 'acct_bench_a';
  return {
    name,
    events: EVENTS,
    fill: async (series, count) => {
      await bench.query('TRUNCATE webhook_events, webhook_payloads, object_marks');
      await bench.query(
        `WITH made AS MATERIALIZED (SELECT n, gen_random_uuid() AS id FROM generate_series(1, $4::int - 1) n),
         payloads AS (
           INSERT INTO webhook_payloads (id, headers, body)
           SELECT id, '{"content-type":"application/json; charset=utf-8"}',
             convert_to(json_build_object('id', 'evt_' || $1::text || '_' || n, 'type', $2::text, 'data', json_build_object('object', json_build_object('note', repeat('x', 800))))::text, 'utf8')
           FROM made)
         INSERT INTO webhook_events (id, payload_id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version)
         SELECT made.id, made.id, 'stripe', 'evt_' || $1::text || '_' || n, $2, k.routing_key, k.id, k.tenant, CASE WHEN $5 THEN 'thing/' || n END, CASE WHEN $5 THEN n END
         FROM made, connections k WHERE k.account_id = $3`,
        [series, BENCH_TYPE, account, count, guarded],
      );
      await bench.query('ANALYZE webhook_events, webhook_payloads');
    },
    begin: async (series) => {
      const { statuses } = await load.deliver({ port, path: OUR_PATH, series: { name: series, count: 1, account }, connections: 1 });
      assertAllTaken(statuses, name);
    },
  };
}

function rivalDrain(name: string, rival: Rival, events: number): Drain {
  return {
    name,
    events,
    fill: async (series, count) => {
      await rival.command('pause');
      await rival.command('fill', { series, count });
    },
    begin: () => rival.command('drain'),
    settle: () => rival.command('pause'),
  };
}

function booksIn(books: readonly Check[]): string {
  const wrong = books.filter(({ ok }) => ok !== true);
  return wrong.length === 0 ? `0 lost, 0 twice in ${books.length} rounds` : wrong.map(({ name, seen }) => `${name}: ${seen}`).join('; ');
}
