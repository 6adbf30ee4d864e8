import type { Clock } from '../../../clock';
import { arrival, closedTat, type Bucket } from './gcra';
import { TAKEN, type LimitStore, type Take } from './limit-store';

const SWEEP_EVERY = 10_000;

/** The buckets of one process. */
export class MemoryLimitStore implements LimitStore {
  private readonly tats = new Map<string, number>();
  private untilSweep = SWEEP_EVERY;

  constructor(private readonly clock: Clock) {}

  take(buckets: readonly Bucket[]): Take {
    const now = this.clock.now();
    const arrivals = buckets.map((bucket) => arrival(bucket, this.tats.get(bucket.key), now));
    const waitMs = Math.max(0, ...arrivals.map((each) => each.waitMs));
    if (waitMs > 0) return { waitMs, blocked: buckets.filter((_, index) => arrivals[index]!.waitMs > 0).map(({ key }) => key) };
    buckets.forEach((bucket, index) => {
      if (bucket.intervalMs > 0) this.tats.set(bucket.key, arrivals[index]!.nextTat);
    });
    if (--this.untilSweep <= 0) this.sweep(now);
    return TAKEN;
  }

  close(buckets: readonly Bucket[], ms: number): void {
    const now = this.clock.now();
    for (const bucket of buckets) this.tats.set(bucket.key, Math.max(this.tats.get(bucket.key) ?? 0, closedTat(bucket, ms, now)));
  }

  /** Empty buckets are the same as none. */
  private sweep(now: number): void {
    this.untilSweep = SWEEP_EVERY;
    for (const [key, tat] of this.tats) if (tat <= now) this.tats.delete(key);
  }
}
