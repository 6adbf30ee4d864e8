import {
  check,
  median,
  notRun,
  percentile,
  summary,
  type ArmResult,
  type Benchmark,
  type BenchmarkResult,
  type Check,
  type Services,
} from './lib/benchmark';
import { compareIds, described, isExact } from './lib/exactly-once';
import { assertAllTaken, LoadGenerator, type EffectResult } from './lib/load';
import { times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { eventId } from './lib/stripe-delivery';
import { hasBoth, openWorkbench, OUR_PATH, type Workbench } from './lib/workbench';

const QUIET_EVENTS = QUICK ? 20 : 50;
const QUIET_PAUSE_MS = 4;
const FLOOD_EVENTS = QUICK ? 2_000 : 10_000;
const FLOOD_CONNECTIONS = 50;
const FLOOD_PAUSE_MS = 40;

const OURS = 'ours';
const LIMIT = 'limit: two commits in a row';
const BULL = 'bull';
const BULLMQ = 'bullmq';
const GRAPHILE = 'graphile-worker';

interface Contender {
  readonly name: string;
  readonly port: number;
  /** Rounds with a flood; the rivals work a flood off in its order, which one round shows. */
  readonly floods: number;
  readonly quiet: EffectResult[];
  readonly flooded: EffectResult[];
  readonly sent: string[];
}

export const benchmark: Benchmark = {
  id: 'B2',
  title: `accept-to-effect latency, quiet, and for tenant B while tenant A floods ${FLOOD_EVENTS} events`,
  async run(services: Services) {
    if (!hasBoth(services)) return { arms: [], checks: [notRun('B2', 'needs a Postgres server and Redis')] };
    const bench = await openWorkbench({ services, members: [{}] });
    const generators = [new LoadGenerator(), new LoadGenerator()] as const;
    try {
      return await measure(bench, ...generators);
    } finally {
      for (const generator of generators) generator.stop();
      await bench.stop();
    }
  },
};

async function measure(bench: Workbench, load: LoadGenerator, probe: LoadGenerator): Promise<Omit<BenchmarkResult, 'id'>> {
  const contender = (name: string, port: number, floods: number): Contender => ({ name, port, floods, quiet: [], flooded: [], sent: [] });
  const rival = async (name: string, file: string, env: Record<string, string>, floods = 1) =>
    contender(name, (await bench.rival(file, env)).port, floods);
  const contenders = [
    contender(OURS, bench.cluster.members[0]?.port ?? 0, ROUNDS),
    await rival(LIMIT, 'queue-limit.cjs', { CONCURRENCY: '2' }, 0),
    await rival(BULL, 'queue-bull.cjs', { CONCURRENCY: '20' }),
    await rival(BULLMQ, 'queue-bullmq.cjs', { CONCURRENCY: '20' }),
    await rival(GRAPHILE, 'queue-graphile.cjs', { CONCURRENCY: '20' }),
  ];
  for (let round = -1; round < ROUNDS; round++) {
    for (let index = 0; index < contenders.length; index++) {
      const one = contenders[(index + Math.max(round, 0)) % contenders.length] as Contender;
      const quiet = await timed(bench, probe, one, { count: QUIET_EVENTS, pauseMs: QUIET_PAUSE_MS });
      if (round >= 0) one.quiet.push(quiet);
      if (round < 0 || round >= one.floods) continue;
      one.flooded.push(await underFlood(bench, load, probe, one));
    }
  }
  return { arms: contenders.flatMap(armsOf), checks: [...targets(contenders), await books(bench, contenders)] };
}

let series = 0;

async function timed(
  bench: Workbench,
  probe: LoadGenerator,
  { name, port, sent }: Contender,
  how: { count: number; pauseMs: number; overlapping?: boolean },
): Promise<EffectResult> {
  const own = `timed_${series++}`;
  const { count, ...pace } = how;
  const result = await probe.untilEffect({
    port,
    path: OUR_PATH,
    databaseUrl: bench.databaseUrl,
    series: { name: own, count, account: 'acct_bench_b' },
    ...pace,
  });
  assertAllTaken(result.statuses, name);
  for (let number = 0; number < result.sentToEffectMs.length; number++) sent.push(eventId(own, number));
  return result;
}

/** Tenant A's flood comes as fast as it is taken; tenant B's events come one by one until the flood is worked off. */
async function underFlood(bench: Workbench, load: LoadGenerator, probe: LoadGenerator, one: Contender): Promise<EffectResult> {
  const own = `flood_${series++}`;
  const before = await effects(bench, own);
  const timing = timed(bench, probe, one, { count: 1_000_000, pauseMs: FLOOD_PAUSE_MS, overlapping: true });
  const flood = await load.deliver({
    port: one.port,
    path: OUR_PATH,
    series: { name: own, count: FLOOD_EVENTS, account: 'acct_bench_a' },
    connections: FLOOD_CONNECTIONS,
  });
  assertAllTaken(flood.statuses, one.name);
  for (let number = 0; number < FLOOD_EVENTS; number++) one.sent.push(eventId(own, number));
  for (const end = Date.now() + 180_000; (await effects(bench, own)) < before + FLOOD_EVENTS;) {
    if (Date.now() > end) throw new Error(`${one.name}: the flood was not worked off within 3 minutes`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await probe.stopEffects();
  return timing;
}

async function effects(bench: Workbench, own: string): Promise<number> {
  const [row] = await bench.query<{ count: string }>(
    `SELECT count(*) FROM bench_effects WHERE event_id LIKE 'evt_' || $1::text || '@_%' ESCAPE '@'`,
    [own],
  );
  return Number(row?.count);
}

function armsOf({ name, quiet, flooded }: Contender): ArmResult[] {
  const p50 = quiet.map(({ sentToEffectMs }) => median(sentToEffectMs));
  const p99 = quiet.map(({ sentToEffectMs }) => percentile(sentToEffectMs, 0.99));
  const p95 = flooded.map(({ sentToEffectMs }) => percentile(sentToEffectMs, 0.95));
  return [
    summary(`${name}, quiet p50`, 'ms', p50),
    summary(`${name}, quiet p99`, 'ms', p99),
    ...(flooded.length > 0 ? [summary(`${name}, tenant B p95 in the flood`, 'ms', p95)] : []),
  ];
}

function targets(contenders: readonly Contender[]): Check[] {
  const of = (name: string) => contenders.find((one) => one.name === name) as Contender;
  const ours = of(OURS);
  const ratios = (a: readonly number[], b: readonly number[]) => {
    const each = a.map((value, index) => value / (b[index] ?? Number.NaN));
    return { median: median(each), min: Math.min(...each), max: Math.max(...each) };
  };
  const p50 = ({ quiet }: Contender) => quiet.map(({ sentToEffectMs }) => median(sentToEffectMs));
  const p95 = (results: readonly EffectResult[]) => results.map(({ sentToEffectMs }) => percentile(sentToEffectMs, 0.95));
  const quiet = ratios(p50(ours), p50(of(LIMIT)));
  const p99 = percentile(
    ours.quiet.flatMap(({ sentToEffectMs }) => sentToEffectMs),
    0.99,
  );
  const durable = ratios(p50(ours), p50(of(GRAPHILE)));
  const rivals = [BULL, BULLMQ, GRAPHILE].map((name) => median(p95(of(name).flooded)));
  const best = Math.min(...rivals);
  const flood = ratios(
    p95(ours.flooded),
    ours.flooded.map(() => best),
  );
  return [
    check('quiet p50, ours / limit', '<= 2x', times(quiet), quiet.median <= 2),
    check('quiet p99', '<= 50 ms', `${p99.toFixed(1)} ms`, p99 <= 50),
    check('quiet p50, ours / graphile-worker', '<= 1x', times(durable), durable.median <= 1),
    check("tenant B's p95 in the flood, ours / the best rival's", '<= 0.1x', times(flood), flood.median <= 0.1),
  ];
}

async function books(bench: Workbench, contenders: readonly Contender[]): Promise<Check> {
  const sent = contenders.flatMap((one) => one.sent);
  const found = await bench.query<{ event_id: string }>('SELECT event_id FROM bench_effects');
  const difference = compareIds(
    sent,
    found.map((row) => row.event_id),
  );
  return check('every event of every arm took effect once', '0 lost, 0 twice', described(difference, sent.length), isExact(difference));
}
