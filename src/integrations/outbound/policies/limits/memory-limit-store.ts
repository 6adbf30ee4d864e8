import type { Clock } from '../../../../clock';
import { arrival, closedTat, roomIn, tatAfter, type Bucket } from './gcra';
import { taken, type LimitStore, type Take } from './limit-store';

const SWEEP_EVERY = 10_000;

/** The buckets of one process. */
export class MemoryLimitStore implements LimitStore {
  private readonly tats = new Map<string, number>();
  private untilSweep = SWEEP_EVERY;

  constructor(private readonly clock: Clock) {}

  take(buckets: readonly Bucket[], most = 1): Take {
    const now = this.clock.now();
    let calls = most;
    for (const bucket of buckets) calls = Math.min(calls, roomIn(bucket, this.tats.get(bucket.key), now));
    if (calls === 0) return this.blocked(buckets, now);
    for (const bucket of buckets) {
      if (bucket.intervalMs > 0) this.tats.set(bucket.key, tatAfter(bucket, calls, this.tats.get(bucket.key), now));
    }
    if (--this.untilSweep <= 0) this.sweep(now);
    return taken(calls);
  }

  close(buckets: readonly Bucket[], ms: number): void {
    const now = this.clock.now();
    for (const bucket of buckets) this.tats.set(bucket.key, Math.max(this.tats.get(bucket.key) ?? 0, closedTat(bucket, ms, now)));
  }

  private blocked(buckets: readonly Bucket[], now: number): Take {
    const waits = buckets.map((bucket) => arrival(bucket, this.tats.get(bucket.key), now).waitMs);
    return { taken: 0, waitMs: Math.max(...waits), blocked: buckets.filter((_, index) => waits[index]! > 0).map(({ key }) => key) };
  }

  /** Empty buckets are the same as none. */
  private sweep(now: number): void {
    this.untilSweep = SWEEP_EVERY;
    for (const [key, tat] of this.tats) if (tat <= now) this.tats.delete(key);
  }
}
