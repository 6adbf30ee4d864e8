/** One way of doing the work that is measured. */
export interface Arm {
  readonly name: string;
  /** Unit of what `round` returns, e.g. `requests/s` (more is better) or `ms` (less is better). */
  readonly unit: string;
  /** Once before the first round. */
  setUp?(): Promise<void>;
  /** One round: does the work, asserts that it was done right, and returns the figure. */
  round(): Promise<number>;
  tearDown?(): Promise<void>;
}

export interface ArmResult {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

/** `ok: null`: could not be run here; `seen` says why. */
export interface Check {
  readonly name: string;
  readonly target: string;
  readonly seen: string;
  readonly ok: boolean | null;
}

export interface BenchmarkResult {
  readonly id: string;
  readonly arms: readonly ArmResult[];
  readonly checks: readonly Check[];
}

export interface Benchmark {
  readonly id: string;
  readonly title: string;
  run(services: Services): Promise<Omit<BenchmarkResult, 'id'>>;
}

/** What the machine has; a benchmark that needs more says so in a check with `ok: null`. */
export interface Services {
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function summary(name: string, unit: string, values: readonly number[]): ArmResult {
  return { name, unit, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function check(name: string, target: string, seen: string, ok: boolean | null): Check {
  return { name, target, seen, ok };
}

export function notRun(name: string, reason: string): Check {
  return { name, target: '-', seen: reason, ok: null };
}
