import { ask, json, startCallers, startRival, type Figures } from './callers/callers';
import { check, notRun, type Arm, type Benchmark, type Check } from './lib/benchmark';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';

const CONCURRENCY = 50;
const CALLS = QUICK ? 10_000 : 50_000;
const BOTTLENECK_CALLS = CALLS / 20;

const PER_SECOND = 100;
const BURST = 10;
const PROCESSES = 3;
const WINDOW_MS = QUICK ? 20_000 : 60_000;
/** In each process; all together would do many times what is allowed. */
const CALLERS = 20;
const WARM_UP_CALLS = 100;

const OURS = 'ours: one limit';
const OURS_GATED = 'ours: one limit and the gate, as a call asks';
const FLEXIBLE = 'rate-limiter-flexible';
const PING = 'limit: Redis PING';

export const benchmark: Benchmark = {
  id: 'B6',
  title: `the rate limiter on Redis: its cost (c=${CONCURRENCY}), and what a provider sees of ${PROCESSES} processes at ${PER_SECOND}/s, burst ${BURST}`,
  async run({ databaseUrl, redisUrl }) {
    if (!databaseUrl || !redisUrl) return { arms: [], checks: [notRun('B6', 'needs a Postgres server and Redis')] };
    const cluster = await startCallers({ processes: PROCESSES, databaseUrl, redisUrl });
    const rivals = await Promise.all(
      ['limiter-flexible.cjs', 'limiter-bottleneck.cjs', 'redis-ping.cjs'].map((file) => startRival(file, { REDIS_URL: redisUrl })),
    );
    const [flexible, bottleneck, ping] = rivals as [(typeof rivals)[0], (typeof rivals)[0], (typeof rivals)[0]];
    const origin = await startRival('json-origin.cjs');
    try {
      const ours = (buckets: number) => (calls: number, concurrency: number) =>
        ask<Figures>(cluster, 0, 'limits', { calls, concurrency, buckets });
      const arm = (name: string, run: (calls: number, concurrency: number) => Promise<Figures>, calls = CALLS): Arm => ({
        name,
        unit: 'calls/s',
        round: async () => (await run(calls, CONCURRENCY)).perSecond,
      });
      const rounds = await interleave(
        [
          arm(OURS, ours(1)),
          arm(OURS_GATED, ours(2)),
          arm(FLEXIBLE, flexible.run),
          arm('bottleneck, clustered', bottleneck.run, BOTTLENECK_CALLS),
          arm(PING, ping.run),
        ],
        ROUNDS,
      );
      const ratio = rounds.ratio(OURS, FLEXIBLE);
      const gated = rounds.ratio(OURS_GATED, FLEXIBLE);
      return {
        arms: rounds.arms,
        checks: [
          check('ours / rate-limiter-flexible', '>= 2x', times(ratio), ratio.median >= 2),
          check('ours with the gate / rate-limiter-flexible', 'told', times(gated), true),
          ...(await accuracy(cluster, origin.url)),
        ],
      };
    } finally {
      await Promise.all([...rivals, origin].map((each) => each.kill()));
      await cluster.stop();
    }
  },
};

/** The whole chain in three processes on one account; the provider judges. */
async function accuracy(cluster: Parameters<typeof ask>[0], origin: string): Promise<Check[]> {
  const everywhere = <T>(path: string, body: object) => Promise.all(cluster.members.map(({ index }) => ask<T>(cluster, index, path, body)));
  const { connectionId: id } = await ask<{ connectionId: string }>(cluster, 0, 'providers', { origin, connect: true });
  // Without a limit first: what is measured is the limiter, not three processes that begin.
  await everywhere('providers', { origin });
  await everywhere(`${id}/calls`, { calls: WARM_UP_CALLS, concurrency: 1 });
  await everywhere('providers', { origin, limit: { perSecond: PER_SECOND, burst: BURST, per: 'account' } });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await json(`${origin}/limit?per=${PER_SECOND + BURST}`);
  await json(`${origin}/book`);
  const seen = await everywhere<{ done: number; failures: Record<string, number> }>(`${id}/calls-for`, {
    ms: WINDOW_MS,
    concurrency: CALLERS,
  });
  const { arrivals, refused } = await json<{ arrivals: number[]; refused: number }>(`${origin}/book`);
  const first = arrivals[0] ?? 0;
  const within = arrivals.filter((at) => at < first + WINDOW_MS).length;
  const used = within / (PER_SECOND * (WINDOW_MS / 1_000) + BURST);
  const worst = worstSecond(arrivals);
  const failures = seen.map(({ failures }) => JSON.stringify(failures)).filter((text) => text !== '{}');
  return [
    check('worst second at the provider', `<= ${PER_SECOND + BURST}`, String(worst), worst <= PER_SECOND + BURST),
    check('allowance used', '>= 97 %', `${(used * 100).toFixed(1)} % of ${WINDOW_MS / 1_000} s`, used >= 0.97),
    check('refusals of the provider', '0', String(refused), refused === 0),
    check('calls that failed', '0', failures.length === 0 ? '0' : failures.join(' '), failures.length === 0),
  ];
}

/** Most arrivals in any window of a second. */
function worstSecond(arrivals: readonly number[]): number {
  let worst = 0;
  for (let from = 0, to = 0; to < arrivals.length; to++) {
    while (arrivals[to]! - arrivals[from]! >= 1_000) from++;
    worst = Math.max(worst, to - from + 1);
  }
  return worst;
}
