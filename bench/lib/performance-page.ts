import { cpus, totalmem } from 'node:os';
import type { ArmResult, BenchmarkResult, Check } from './benchmark';

/** On what it was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly postgres?: string;
  readonly redis?: string;
}

/** A benchmark as it is kept in `docs/performance.json`. */
export interface RecordedBenchmark extends BenchmarkResult {
  readonly title: string;
  /** Day of the run, `2026-11-28`. */
  readonly date: string;
  /** Machine's load when it began: processes that wanted to run, by the minute. */
  readonly load: number;
  /** The checks of the run that was recorded before, for the comparison. */
  readonly before?: { readonly date: string; readonly checks: readonly Check[] };
}

export interface Recorded {
  readonly machine: Machine;
  readonly benchmarks: readonly RecordedBenchmark[];
}

/** More than so much worse than before is named. */
const WORSE_BY = 0.1;

export function thisMachine(services: Pick<Machine, 'postgres' | 'redis'>): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    ...services,
  };
}

/** What was measured now replaces what was kept of the same benchmarks; of another machine nothing is kept. */
export function recorded(kept: Recorded | undefined, machine: Machine, measured: readonly RecordedBenchmark[]): Recorded {
  const before = kept && same(kept.machine, machine) ? kept.benchmarks : [];
  const benchmarks = measured.map((each) => {
    const last = before.find(({ id }) => id === each.id);
    return last ? { ...each, before: { date: last.date, checks: last.checks } } : each;
  });
  const others = before.filter(({ id }) => !measured.some((each) => each.id === id));
  return { machine, benchmarks: [...others, ...benchmarks].sort((a, b) => numberOf(a.id) - numberOf(b.id)) };
}

/** The page `docs/performance.md`. */
export function performancePage({ machine, benchmarks }: Recorded): string {
  const { processor, cores, memoryGib, node, postgres, redis } = machine;
  const services = [postgres && `Postgres ${postgres} (fsync on)`, redis && `Redis ${redis}`].filter(Boolean).join(', ');
  return [
    '# Performance',
    '',
    'What `npm run bench` measures: each benchmark runs its arms beside each other, in turns, in one run, and asserts in the same run that the work was done right: nothing lost, nothing twice. The load generator is a process of its own. On a shared machine absolute figures say little; the ratios hold. `npm run bench -- --record` writes this page anew. `npm run bench -- B1 --against ../before` runs the same in turns with another checkout, installed and built, and says by what ratio.',
    '',
    `Measured on ${cores} cores of ${processor}, ${memoryGib} GiB, Node ${node}${services && `, ${services}`}, database, Redis, rivals and load generator on the same cores.`,
    '',
    ...comparison(benchmarks),
    ...benchmarks.flatMap(section),
    'An hour under load with faults at random: [scaling](scaling.md#an-hour-of-it).',
    '',
    'This page is made of `docs/performance.json`.',
    '',
  ].join('\n');
}

/** What a check saw, against what it saw before: by its first number, in the direction of its target. */
export function regressions({ checks, before }: Pick<RecordedBenchmark, 'checks' | 'before'>): { name: string; was: string; is: string }[] {
  return checks.flatMap((now) => {
    const last = before?.checks.find(({ name }) => name === now.name);
    const [is, was] = [firstNumber(now.seen), firstNumber(last?.seen)];
    const direction = now.target.startsWith('>=') ? 1 : now.target.startsWith('<=') ? -1 : 0;
    if (!last || direction === 0 || Number.isNaN(is) || Number.isNaN(was) || was === 0) return [];
    const change = (direction * (is - was)) / was;
    return change < -WORSE_BY ? [{ name: now.name, was: last.seen, is: now.seen }] : [];
  });
}

function comparison(benchmarks: readonly RecordedBenchmark[]): string[] {
  const compared = benchmarks.filter(({ before }) => before);
  if (compared.length === 0) return [];
  const worse = compared.flatMap((each) => regressions(each).map((row) => ({ id: each.id, ...row })));
  return [
    '## Against the run before',
    '',
    ...(worse.length === 0
      ? ['Nothing is more than a tenth worse than in the run before.', '']
      : [
          'More than a tenth worse than in the run before:',
          '',
          '| | what | was | is |',
          '|---|---|---|---|',
          ...worse.map(rowOfChange),
          '',
        ]),
  ];
}

function rowOfChange({ id, name, was, is }: { id: string; name: string; was: string; is: string }): string {
  return row([id, name, was, is]);
}

function section({ id, title, date, load, arms, checks }: RecordedBenchmark): string[] {
  return [
    `## ${id}: ${title}`,
    '',
    `${date}, load of the machine when it began: ${load.toFixed(1)}.`,
    '',
    ...(checks.length > 0 ? ['| | seen | target | |', '|---|---|---|---|', ...checks.map(rowOfCheck), ''] : []),
    ...(arms.length > 0 ? ['| arm | median | range | unit |', '|---|--:|--:|---|', ...arms.map(rowOfArm), ''] : []),
  ];
}

function rowOfCheck({ name, seen, target, ok }: Check): string {
  const met = target.startsWith('told') ? 'told' : ok === null ? 'not run' : ok ? 'met' : '**missed**';
  return row([name, seen, target, met]);
}

function rowOfArm({ name, median, min, max, unit }: ArmResult): string {
  return row([name, figure(median), `${figure(min)}-${figure(max)}`, unit]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function firstNumber(text: string | undefined): number {
  return Number(/-?\d+(?:\.\d+)?/.exec(text ?? '')?.[0] ?? Number.NaN);
}

function same(a: Machine, b: Machine): boolean {
  return a.processor === b.processor && a.cores === b.cores;
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}
