import type { Clock } from '../../../clock';

interface Refused {
  readonly count: number;
  readonly at: number;
}

const PAUSE_MS = 60_000;
const FORGOTTEN_AFTER_MS = 30 * 60_000;
const ENDS_AT = 3;
const MAX_KEPT = 10_000;

/**
 * Connections whose calls a provider refused with nothing but a 401 although it had just renewed their token. That speaks of a fault at
 * the provider rather than of the grant: only the third time, a minute apart at least and within half an hour of each other, counts.
 */
export class RefusedAfterRenewal {
  private readonly refused = new Map<string, Refused>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** No renewal is spent on it now. */
  isPaused(connectionId: string): boolean {
    const last = this.refused.get(connectionId);
    return last !== undefined && this.clock.now() - last.at < PAUSE_MS;
  }

  /** @returns whether it was once too often */
  note(connectionId: string): boolean {
    const now = this.clock.now();
    const last = this.refused.get(connectionId);
    const goesOn = last !== undefined && now - last.at < FORGOTTEN_AFTER_MS;
    // Calls that were under way together are one.
    if (goesOn && now - last.at < PAUSE_MS) return false;
    const count = goesOn ? last.count + 1 : 1;
    this.refused.delete(connectionId);
    this.refused.set(connectionId, { count, at: now });
    const [oldest] = this.refused.keys();
    if (this.refused.size > MAX_KEPT && oldest !== undefined) this.refused.delete(oldest);
    return count >= ENDS_AT;
  }

  forget(connectionId: string): void {
    this.refused.delete(connectionId);
  }
}
