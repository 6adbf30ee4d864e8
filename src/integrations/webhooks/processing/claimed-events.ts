import { Injectable } from '@nestjs/common';
import type { ClaimedEvent } from './claimed-event';

/** The events that this process holds a claim on. */
@Injectable()
export class ClaimedEvents {
  private readonly events = new Set<ClaimedEvent>();

  get size(): number {
    return this.events.size;
  }

  /** Of the claims, whose leases have to be prolonged. */
  get owners(): readonly string[] {
    return [...new Set([...this.events].map(({ leaseOwner }) => leaseOwner))];
  }

  async hold<T>(events: readonly ClaimedEvent[], work: () => Promise<T>): Promise<T> {
    for (const event of events) this.events.add(event);
    try {
      return await work();
    } finally {
      for (const event of events) this.events.delete(event);
    }
  }
}
