import { check, median, notRun, summary, type Arm, type Benchmark, type BenchmarkResult, type Services } from './lib/benchmark';
import type { CollectedMemory } from './lib/collected-memory';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { openSchedules, type Queued, type Schedules } from './lib/schedules';

const [SMALL_BATCH, MANY] = QUICK ? ([10_000, 100_000] as const) : ([100_000, 1_000_000] as const);
const DUE_SHARE = 0.01;
/** How much dearer a due connection may be among ten times as many: deeper indexes, colder pages. */
const GROWTH = 1.5;
const MEMORY_GROWTH = 1.2;
/** Connections a second from which chance alone does not make a second twice as busy as the mean. */
const EVEN_FROM = 50;

const tick = (count: number) => `one tick, ${count} connections`;
const limit = (count: number) => `limit: one indexed SELECT, ${count} connections`;

export const benchmark: Benchmark = {
  id: 'B9',
  title: `one tick of the scheduler with ${SMALL_BATCH} and ${MANY} connections, 1 % due`,
  async run({ databaseUrl }: Services) {
    if (!databaseUrl) return { arms: [], checks: [notRun('B9', 'needs a Postgres server')] };
    const few = await openSchedules(databaseUrl, SMALL_BATCH);
    const opened = [few];
    try {
      const many = await openSchedules(databaseUrl, MANY);
      opened.push(many);
      return await measure(few, many);
    } finally {
      for (const each of opened) await each.close();
    }
  },
};

async function measure(few: Schedules, many: Schedules): Promise<Omit<BenchmarkResult, 'id'>> {
  const memory = new Map<Schedules, CollectedMemory[]>([few, many].map((each) => [each, []]));
  const rounds = await interleave([...arms(few, memory), ...arms(many, memory)], ROUNDS);
  const growth = rounds.ratio(tick(MANY), tick(SMALL_BATCH));
  const spreads = await Promise.all(
    [few, many].map(async (each) => {
      await each.tick(); // so that all due times are the product's own
      return { count: each.count, ...(await each.perSecond()) };
    }),
  );
  const seen = (each: Schedules, what: keyof CollectedMemory) => (memory.get(each) ?? []).map((left) => left[what]);
  // What is held: a tick with ten times as much to do makes V8 set aside more for garbage, once, which is no growth with the connections.
  const between = median(seen(many, 'heldMib')) / median(seen(few, 'heldMib'));
  const resident = seen(many, 'residentMib');
  const over = (resident.at(-1) ?? Number.NaN) / (resident[0] ?? Number.NaN);
  return {
    arms: [
      ...rounds.arms,
      ...[few, many].flatMap((each) => [
        summary(`memory of the scheduler, ${each.count} connections`, 'MiB resident', seen(each, 'residentMib')),
        summary(`held by the scheduler, ${each.count} connections`, 'MiB of heap and buffers', seen(each, 'heldMib')),
      ]),
    ],
    checks: [
      check('a due connection among ten times as many', `<= ${GROWTH}x`, times(growth), growth.median <= GROWTH),
      ...[SMALL_BATCH, MANY].map((count) =>
        check(`tick / limit, ${count} connections`, 'told: the tick also writes', times(rounds.ratio(tick(count), limit(count))), true),
      ),
      check('memory held, many connections / few', `<= ${MEMORY_GROWTH}x`, `${between.toFixed(2)}x`, between <= MEMORY_GROWTH),
      check('resident memory, last tick / first tick', `<= ${MEMORY_GROWTH}x`, `${over.toFixed(2)}x`, over <= MEMORY_GROWTH),
      ...spreads.map(({ count, mean, most }) =>
        check(
          `busiest second of the interval, ${count} connections`,
          mean < EVEN_FROM ? 'told: too few to be even' : '<= 2x the mean',
          `${(most / mean).toFixed(2)}x of ${mean.toFixed(0)}`,
          mean < EVEN_FROM || most <= 2 * mean,
        ),
      ),
    ],
  };
}

/** Both read the same due rows: the limit first, then the tick, which moves them on. */
function arms(schedules: Schedules, memory: ReadonlyMap<Schedules, CollectedMemory[]>): Arm[] {
  const { count } = schedules;
  const due = Math.round(count * DUE_SHARE);
  // What an earlier tick moved on may have become due again by itself meanwhile.
  const perDue = (seen: { due: number; ms: number }) => {
    if (seen.due < due) throw new Error(`${seen.due} of ${due} due connections were found`);
    return (seen.ms * 1_000) / seen.due;
  };
  return [
    {
      name: limit(count),
      unit: 'µs a due connection',
      round: async () => {
        await schedules.makeDue(due);
        return perDue(await schedules.select());
      },
    },
    {
      name: tick(count),
      unit: 'µs a due connection',
      round: async () => {
        await schedules.makeDue(due);
        const answer = await schedules.tick();
        assertRightlyQueued(answer.due, due, await schedules.queued());
        memory.get(schedules)?.push(answer.memory);
        return perDue(answer);
      },
    },
  ];
}

/**
 * Every due connection has its run, and nothing was taken before its time. A connection whose next slot begins while the tick is still
 * at work is due a second time: it is taken again, and gets no second run beside the one that waits.
 */
function assertRightlyQueued(taken: number, due: number, { runs, early, dueAgain }: Queued): void {
  if (runs >= due && runs <= taken && taken <= runs + dueAgain && early === 0) return;
  throw new Error(`${due} due, ${taken} taken, ${runs} with a run, ${early} before their time, ${dueAgain} due again meanwhile`);
}
