import {
  check,
  median,
  notRun,
  percentile,
  summary,
  type Benchmark,
  type BenchmarkResult,
  type Check,
  type Services,
} from './lib/benchmark';
import { listReads, pageReads, type Read } from './lib/admin-reads';
import { QUICK } from './lib/run-options';
import { openStage, type Stage } from './lib/size-stage';
import { workReads } from './lib/size-works';
import { endOverdue } from './lib/overdue';

/** `--size 10`: ten times as much. */
const TIMES = Number(/^\d+$/.exec(process.argv[process.argv.indexOf('--size') + 1] ?? '')?.[0] ?? 1);
const ROWS = QUICK ? 100_000 : 1_000_000 * TIMES;
const CALLS = QUICK ? 5 : 21;
const LIMIT_MS = 50;
const GROWTH = 1.3;
/** A ratio of two small figures says nothing. */
const MORE_MS = 2;
const NAMED_AT_MOST = 12;

const filling = (rows: number) => ({ rows, connections: rows / 10, runs: rows / 2 });

interface Timed extends Read {
  firstMs: number;
  readonly ms: number[];
  /** CPU time of the service and the database's, ms. */
  readonly cpuMs: number[];
}

interface Compared {
  readonly group: string;
  readonly name: string;
  readonly firstMs: number;
  readonly p50: number;
  readonly p95: number;
  readonly p50OfFew: number;
  readonly cpu: number;
  /** With a tenth of it. */
  readonly cpuOfFew: number;
}

export const benchmark: Benchmark = {
  id: 'B10',
  title: `at size: ${ROWS} events and records, ${ROWS / 10} connections, ${ROWS / 2} runs and logged requests, against a tenth of it`,
  async run({ databaseUrl }: Services) {
    if (!databaseUrl) return { arms: [], checks: [notRun('B10', 'needs a Postgres server')] };
    const few = await openStage(databaseUrl, filling(ROWS / 10));
    const opened = [few];
    try {
      const many = await openStage(databaseUrl, filling(ROWS));
      opened.push(many);
      const compared = await measure(few, many);
      return report(many, compared, await endOverdue(many));
    } finally {
      for (const { cluster } of opened) await cluster.stop();
    }
  },
};

async function measure(few: Stage, many: Stage): Promise<Compared[]> {
  const [ofFew, ofMany] = [await readsOf(few), await readsOf(many)];
  const pairs = ofMany.flatMap((large) => ofFew.filter(({ name }) => name === large.name).map((small) => ({ small, large })));
  for (let call = 0; call <= CALLS; call++)
    for (const { small, large } of pairs) {
      await time(few, small, call === 0);
      await time(many, large, call === 0);
    }
  return pairs.map(({ small, large: { group, name, firstMs, ms, cpuMs } }) => ({
    group,
    name,
    firstMs,
    p50: median(ms),
    p95: percentile(ms, 0.95),
    p50OfFew: median(small.ms),
    cpu: median(cpuMs),
    cpuOfFew: median(small.cpuMs),
  }));
}

async function readsOf(stage: Stage): Promise<Timed[]> {
  const reads = [...(await pageReads(stage)), ...(await listReads(stage)), ...(await workReads(stage))];
  return reads.map((read) => ({ ...read, firstMs: Number.NaN, ms: [], cpuMs: [] }));
}

async function time({ cpu }: Stage, read: Timed, isFirst: boolean): Promise<void> {
  try {
    await read.before?.();
    const [cpuBefore, from] = [cpu?.(), performance.now()];
    await read.once();
    const ms = performance.now() - from;
    const cpuAfter = cpu?.();
    if (isFirst) {
      read.firstMs = ms;
      await read.compare?.();
      return;
    }
    read.ms.push(ms);
    if (cpuBefore && cpuAfter) read.cpuMs.push(cpuAfter.serviceMs + cpuAfter.databaseMs - cpuBefore.serviceMs - cpuBefore.databaseMs);
  } catch (error) {
    throw new Error(`${read.name}: ${String(error)}`, { cause: error });
  }
}

function report({ bytes }: Stage, compared: readonly Compared[], overdue: Omit<BenchmarkResult, 'id'>): Omit<BenchmarkResult, 'id'> {
  const groups = [...new Set(compared.map(({ group }) => group))];
  const rows = Object.entries(bytes.perRow).map(([table, each]) => `${table} ${each.toFixed(0)}`);
  return {
    arms: [
      ...groups.flatMap((group) => {
        const those = compared.filter((each) => each.group === group);
        return [
          summary(
            `${group}, p50 of each`,
            'ms',
            those.map(({ p50 }) => p50),
          ),
          summary(
            `${group}, p95 of each`,
            'ms',
            those.map(({ p95 }) => p95),
          ),
          summary(
            `${group}, first call of each`,
            'ms',
            those.map(({ firstMs }) => firstMs),
          ),
          summary(
            `${group}, CPU time of each`,
            'ms of service and database',
            those.map(({ cpu }) => cpu),
          ),
          summary(
            `${group}, CPU time of each with a tenth`,
            'ms of service and database',
            those.map(({ cpuOfFew }) => cpuOfFew),
          ),
        ];
      }),
      ...overdue.arms,
    ],
    checks: [
      ...groups.flatMap((group) => checksOf(group, compared)),
      check('bytes of a row with its indexes', `told; ${(bytes.all / 1e9).toFixed(2)} GB in all`, rows.join(', '), true),
      ...overdue.checks,
    ],
  };
}

function checksOf(group: string, compared: readonly Compared[]): Check[] {
  const those = compared.filter((each) => each.group === group);
  const slow = those.filter(({ p95 }) => p95 > LIMIT_MS).sort((a, b) => b.p95 - a.p95);
  const dear = those.filter(({ cpu }) => cpu > LIMIT_MS).sort((a, b) => b.cpu - a.cpu);
  const growth = ({ cpu, cpuOfFew }: Compared) => cpu / cpuOfFew;
  const grown = those.filter((each) => growth(each) > GROWTH && each.cpu - each.cpuOfFew > MORE_MS).sort((a, b) => growth(b) - growth(a));
  const waited = ({ p50, p95, firstMs, cpu }: Compared) => `p95 ${ms(p95)}, p50 ${ms(p50)}, first ${ms(firstMs)}, CPU ${ms(cpu)}`;
  return [
    check(`${group}: p95`, `<= ${LIMIT_MS} ms`, named(slow, those, waited), slow.length === 0),
    check(`${group}: CPU time`, `<= ${LIMIT_MS} ms`, named(dear, those, waited), dear.length === 0),
    check(
      `${group}: CPU time of all of it / a tenth of it`,
      `<= ${GROWTH}x, or less than ${MORE_MS} ms more`,
      named(grown, those, ({ cpu, cpuOfFew }) => `${ms(cpuOfFew)} to ${ms(cpu)}`),
      grown.length === 0,
    ),
  ];
}

function named(found: readonly Compared[], of: readonly Compared[], words: (each: Compared) => string): string {
  const some = found.slice(0, NAMED_AT_MOST).map((each) => `${each.name}: ${words(each)}`);
  return [`${found.length} of ${of.length} beyond it`, ...some, ...(found.length > NAMED_AT_MOST ? ['…'] : [])].join('; ');
}

function ms(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(2)} ms`;
}
