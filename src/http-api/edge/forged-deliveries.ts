import { RequestLimiter } from './request-limiter';

/** Of one address: enough for a secret that was set wrongly, too few to keep a process busy with hashing. */
const FORGERIES = { perSecond: 10, burst: 300 };
const GOOD_FOR_MS = 10 * 60_000;
const MAX_GOOD = 10_000;

/**
 * Deliveries with a bad signature, by network. One from which good deliveries came within ten minutes is not shut out for the bad ones
 * among them: it may be many senders', or a proxy's that nobody named. Runs on the monotonic clock; keeps only so many networks.
 */
export class ForgedDeliveries {
  private readonly bad: RequestLimiter;
  /** When a good one came last, ms; the oldest first. */
  private readonly good = new Map<string, number>();

  constructor(private readonly monotonicMs: () => number = () => performance.now()) {
    this.bad = new RequestLimiter(FORGERIES, monotonicMs);
  }

  /** The milliseconds to wait until the next is looked at. */
  waitFor(network: string): number {
    const goodAt = this.good.get(network);
    if (goodAt !== undefined && this.monotonicMs() - goodAt < GOOD_FOR_MS) return 0;
    return this.bad.waitFor(network);
  }

  count(network: string, isGood: boolean): void {
    if (!isGood) return void this.bad.take(network);
    this.good.delete(network); // re-inserted as the most recent
    this.good.set(network, this.monotonicMs());
    if (this.good.size > MAX_GOOD) this.good.delete(this.good.keys().next().value as string);
  }
}
