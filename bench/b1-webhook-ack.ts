import {
  check,
  median,
  notRun,
  percentile,
  type Arm,
  type Benchmark,
  type BenchmarkResult,
  type Check,
  type Services,
} from './lib/benchmark';
import { compareIds, described, isExact } from './lib/exactly-once';
import { assertAllTaken, LoadGenerator } from './lib/load';
import { interleave, times, type Rounds } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { eventId } from './lib/stripe-delivery';
import { hasBoth, openWorkbench, OUR_PATH, type Rival, type Workbench } from './lib/workbench';

const ROUND_MS = QUICK ? 500 : 1_500;
/** Requests while warming up, and at least in a round: in fewer, what is measured is how a busy machine shares out its turns. */
const FEWEST = QUICK ? 600 : 2_000;
/** One in so many is delivered again. */
const TWICE_EVERY = 50;
const STEADY = { share: 0.7, seconds: QUICK ? 3 : 8, rounds: QUICK ? 1 : 3 };

const OURS = 'ours';
const TUTORIAL = 'A: Nest + Express + bull (not durable)';
const INSERTING = 'B: Nest + Express + one INSERT a request';
const LIMIT = 'limit: node:http + HMAC, nothing stored';

/** Deliveries to one server: what was sent is remembered, for the books. */
class Target {
  readonly sent: string[] = [];
  private series = 0;
  /** Requests of a round: as many as take about `ROUND_MS`, found while warming up. */
  private readonly counts = new Map<number, number>();

  constructor(
    readonly name: string,
    private readonly load: LoadGenerator,
    private readonly port: number,
  ) {}

  arm(connections: number): Arm {
    return { name: this.name, unit: `requests/s, c=${connections}`, round: () => this.round(connections) };
  }

  async round(connections: number): Promise<number> {
    const { ms, requests } = await this.deliver(connections, this.counts.get(connections) ?? FEWEST);
    const rate = (requests * 1_000) / ms;
    this.counts.set(connections, Math.max(FEWEST, Math.round((rate * ROUND_MS) / 1_000)));
    return rate;
  }

  async deliver(
    connections: number,
    count: number,
    perSecond?: number,
  ): Promise<{ ms: number; requests: number; latenciesMs: readonly number[] }> {
    const name = `b1_${this.series++}`;
    const result = await this.load.deliver({
      port: this.port,
      path: OUR_PATH,
      series: { name, count, account: 'acct_bench_a', twiceEvery: TWICE_EVERY },
      connections,
      perSecond,
    });
    assertAllTaken(result.statuses, this.name);
    for (let number = 0; number < count; number++) this.sent.push(eventId(name, number));
    return { ...result, requests: result.latenciesMs.length };
  }
}

export const benchmark: Benchmark = {
  id: 'B1',
  title: 'durable webhook ack: a signed 1 KiB POST, verified, deduplicated, committed, answered',
  async run(services: Services) {
    if (!hasBoth(services)) return { arms: [], checks: [notRun('B1', 'needs a Postgres server and Redis')] };
    // The second process, which works the events off, stands still while the acks are measured.
    const bench = await openWorkbench({ services, members: [{ WORKERS: 'false' }, {}] });
    const load = new LoadGenerator();
    try {
      await bench.cluster.members[1]?.stop();
      return await measure(bench, load);
    } finally {
      load.stop();
      await bench.stop();
    }
  },
};

async function measure(bench: Workbench, load: LoadGenerator): Promise<Omit<BenchmarkResult, 'id'>> {
  const [durable] = await bench.query<{ fsync: string; commits: string }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits`,
  );
  const rivals: Record<string, Rival> = {
    [TUTORIAL]: await bench.rival('nest-bull.cjs'),
    [INSERTING]: await bench.rival('nest-insert.cjs'),
    [LIMIT]: await bench.rival('bare-ack.cjs'),
  };
  const ours = new Target(OURS, load, bench.cluster.members[0]?.port ?? 0);
  const targets = [ours, ...Object.entries(rivals).map(([name, { port }]) => new Target(name, load, port))];
  const at = async (connections: number) =>
    interleave(
      targets.map((target) => target.arm(connections)),
      ROUNDS,
      2,
    );

  const many = await at(100);
  const some = await at(50);
  const few = await at(10);
  const capacity = median(many.samples(OURS));
  const p99s: number[] = [];
  for (let round = 0; round < STEADY.rounds; round++) {
    const perSecond = capacity * STEADY.share;
    const { latenciesMs } = await ours.deliver(100, Math.round(perSecond * STEADY.seconds), perSecond);
    p99s.push(percentile(latenciesMs, 0.99));
  }
  const p99 = median(p99s);
  return {
    arms: [...many.arms, ...some.arms, ...few.arms],
    checks: [
      check(
        'Postgres keeps what it commits',
        'fsync on, synchronous_commit on',
        `fsync ${durable?.fsync}, synchronous_commit ${durable?.commits}`,
        durable?.fsync === 'on' && durable.commits !== 'off',
      ),
      atLeast(2.2, many, TUTORIAL, 'A, c=100'),
      atLeast(2.4, many, INSERTING, 'B, c=100'),
      atLeast(0.3, many, LIMIT, 'limit, c=100'),
      atLeast(1.5, few, INSERTING, 'B, c=10'),
      check(
        `p99 at ${STEADY.share * 100} % load`,
        '<= 250 ms',
        `${p99.toFixed(1)} ms (${Math.min(...p99s).toFixed(1)}-${Math.max(...p99s).toFixed(1)}) at ${(capacity * STEADY.share).toFixed(0)}/s`,
        p99 <= 250,
      ),
      ...(await books(bench, targets)),
    ],
  };
}

function atLeast(target: number, rounds: Rounds, than: string, label: string): Check {
  const ratio = rounds.ratio(OURS, than);
  return check(`ours / ${label}`, `>= ${target}x`, times(ratio), ratio.median >= target);
}

/** What was answered with 200 is there, and there once; and each took effect once. */
async function books(bench: Workbench, targets: readonly Target[]): Promise<Check[]> {
  const sentTo = (name: string) => targets.find((target) => target.name === name)?.sent ?? [];
  const exactly = (name: string, sent: readonly string[], found: readonly string[]) => {
    const difference = compareIds(sent, found);
    return check(name, '0 lost, 0 twice', described(difference, sent.length), isExact(difference));
  };
  const idsIn = async (table: string) =>
    (await bench.query<{ event_id: string }>(`SELECT event_id FROM ${table}`)).map((row) => row.event_id);
  const stored = await idsIn('webhook_events');
  await bench.cluster.members[1]?.start();
  const open = `SELECT 1 FROM webhook_events WHERE status <> 'completed' LIMIT 1`;
  for (const end = Date.now() + 300_000; (await bench.query(open)).length > 0;) {
    if (Date.now() > end) throw new Error('the stored events were not worked off within 5 minutes');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const queued = (await bench.redis.lrange(`${bench.prefix}:nest-bull.cjs:webhooks:wait`, 0, -1)) as string[];
  return [
    exactly('ours: answered = stored', sentTo(OURS), stored),
    exactly('ours: answered = took effect', sentTo(OURS), await idsIn('bench_effects')),
    exactly('A: answered = queued', sentTo(TUTORIAL), queued),
    exactly('B: answered = stored', sentTo(INSERTING), await idsIn('rival_events')),
  ];
}
