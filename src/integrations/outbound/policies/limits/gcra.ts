/**
 * GCRA, the virtual scheduling form: a bucket is one number, the time at which it would be empty of work ("theoretical arrival time", TAT).
 * https://www.itu.int/rec/T-REC-I.371 A window of T holds at most `burst + T / intervalMs` calls.
 */
export interface Bucket {
  readonly key: string;
  /** ms that one unit costs; 0: a gate, which only closes. */
  readonly intervalMs: number;
  /** Units at once after a pause. */
  readonly burst: number;
  /** Units of this call; more than `burst` counts as `burst`. */
  readonly cost: number;
  /** Whether a provider's "slow down" closes it. */
  readonly closes: boolean;
}

/** @returns ms until the bucket has room (0: now) and its TAT if the units are taken */
export function arrival(bucket: Bucket, tat: number | undefined, now: number): { waitMs: number; nextTat: number } {
  const nextTat = tatAfter(bucket, 1, tat, now);
  return { waitMs: Math.max(0, nextTat - bucket.burst * bucket.intervalMs - now), nextTat };
}

/** How many calls of this cost have room now. */
export function roomIn(bucket: Bucket, tat: number | undefined, now: number): number {
  if (arrival(bucket, tat, now).waitMs > 0) return 0;
  if (bucket.intervalMs === 0) return Number.POSITIVE_INFINITY;
  // At least the one that was just found to fit: two ways to the same edge may round apart.
  return Math.max(1, Math.floor((now + bucket.burst * bucket.intervalMs - Math.max(tat ?? 0, now)) / stepOf(bucket)));
}

/** The TAT after so many calls. */
export function tatAfter(bucket: Bucket, calls: number, tat: number | undefined, now: number): number {
  return Math.max(tat ?? 0, now) + calls * stepOf(bucket);
}

function stepOf({ cost, burst, intervalMs }: Bucket): number {
  return Math.min(cost, burst) * intervalMs;
}

/** The TAT at which one unit has room again in `ms`, and then at the sustained rate: who waited does not come all at once. */
export function closedTat(bucket: Bucket, ms: number, now: number): number {
  return now + ms + Math.max(0, bucket.burst - 1) * bucket.intervalMs;
}
