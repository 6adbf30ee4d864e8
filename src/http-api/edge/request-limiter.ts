/** A bucket that fills with time: `perSecond` for long, `burst` at once after a pause. */
export interface RequestLimits {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  level: number;
  at: number;
}

const MAX_KEYS = 20_000;

/**
 * Counts requests by key (an address, a caller) in this process. Runs on the monotonic clock, so that a step of the
 * wall clock locks nobody out; keeps at most 20,000 keys, the least recently seen go first.
 */
export class RequestLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly limits: RequestLimits,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** The milliseconds until there is one to take; takes none. */
  waitFor(key: string): number {
    return this.waitAt(this.levelOf(key, this.monotonicMs()) - 1);
  }

  /** Takes one; gives the milliseconds to wait where there is none left, else 0. */
  take(key: string): number {
    const now = this.monotonicMs();
    const filled = this.levelOf(key, now);
    const left = filled - 1;
    this.buckets.delete(key); // re-inserted as the most recent
    this.buckets.set(key, { level: left < 0 ? filled : left, at: now });
    if (this.buckets.size > MAX_KEYS) this.buckets.delete(this.buckets.keys().next().value as string);
    return this.waitAt(left);
  }

  private levelOf(key: string, now: number): number {
    const bucket = this.buckets.get(key);
    if (!bucket) return this.limits.burst;
    return Math.min(this.limits.burst, bucket.level + ((now - bucket.at) * this.limits.perSecond) / 1_000);
  }

  private waitAt(left: number): number {
    return left < 0 ? Math.ceil((-left * 1_000) / this.limits.perSecond) : 0;
  }
}
