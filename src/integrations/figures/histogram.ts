/** Where the steps end, ms; what took longer than the last is in one more. Rows hold counts by these: one is added at the end or not at all. */
const BOUNDS_MS = [
  5, 10, 20, 35, 50, 75, 100, 150, 250, 400, 600, 1_000, 1_500, 2_500, 5_000, 10_000, 30_000, 120_000, 600_000, 3_600_000,
] as const;

/** Counts of how long things took, by steps of a fixed length: those of two processes, or of two hours, are added up. */
export type Histogram = number[];

export function observe(histogram: Histogram, ms: number): void {
  if (histogram.length === 0) for (let step = 0; step <= BOUNDS_MS.length; step++) histogram.push(0);
  let step = 0;
  while (step < BOUNDS_MS.length && ms > BOUNDS_MS[step]!) step++;
  histogram[step]!++;
}

export function addTo(histogram: Histogram, more: Histogram): void {
  for (const [step, count] of more.entries()) histogram[step] = (histogram[step] ?? 0) + count;
}

/** Where the share lies within its step is not known: it is taken to be even there. Null where nothing was observed. */
export function percentile(histogram: Histogram, share: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = total * share;
  for (const [step, count] of histogram.entries()) {
    if (left > count) {
      left -= count;
      continue;
    }
    const from = BOUNDS_MS[step - 1] ?? 0;
    const to = BOUNDS_MS[step] ?? from;
    return Math.round(from + (to - from) * (left / count));
  }
  return BOUNDS_MS.at(-1) ?? null;
}
