import type { Clock } from '../../../clock';

interface Entry {
  readonly at: number;
  readonly expire: () => void;
}

/**
 * Deadlines of many calls with few timers: calls of one duration end in the order in which they began, so that one timer for the first
 * of them is enough, and a call that ends in time costs an entry in a set.
 */
export class Deadlines {
  private readonly queues = new Map<number, Set<Entry>>();

  constructor(private readonly clock: Clock) {}

  /** @returns takes the deadline away again */
  add(ms: number, expire: () => void): () => void {
    const entry = { at: this.clock.now() + ms, expire };
    const queue = this.queues.get(ms);
    if (queue) queue.add(entry);
    else {
      const first = new Set([entry]);
      this.queues.set(ms, first);
      void this.watch(ms, first);
    }
    return () => void this.queues.get(ms)?.delete(entry);
  }

  private async watch(ms: number, queue: Set<Entry>): Promise<void> {
    // The timer of a queue outlives its calls by one duration at most.
    for (;;) {
      const [first] = queue;
      if (!first) break;
      await this.clock.sleep(first.at - this.clock.now());
      for (const entry of queue) {
        if (entry.at > this.clock.now()) break;
        queue.delete(entry);
        entry.expire();
      }
    }
    this.queues.delete(ms);
  }
}
