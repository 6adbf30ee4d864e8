/** Bounds what runs beside each other in one process. The others wait for their turn. */
export class Slots {
  private running = 0;
  private readonly queue: { readonly rank: number; readonly begin: () => void }[] = [];

  /** @param count of pieces of work at the same time */
  constructor(private readonly count: number) {}

  /** Pieces of work that have not begun. */
  get waiting(): number {
    return this.queue.length;
  }

  /** How many more can begin at once. */
  get free(): number {
    return this.count - this.running;
  }

  /** @param rank the smaller, the sooner its turn; in the order of their coming where it is the same. Default 0 */
  async run<T>(work: () => Promise<T>, rank = 0): Promise<T> {
    if (this.running < this.count) this.running++;
    else await new Promise<void>((begin) => this.enqueue(rank, begin));
    try {
      return await work();
    } finally {
      const next = this.queue.shift();
      if (next)
        next.begin(); // its slot is this one
      else this.running--;
    }
  }

  private enqueue(rank: number, begin: () => void): void {
    const behind = this.queue.findIndex((other) => other.rank > rank);
    this.queue.splice(behind < 0 ? this.queue.length : behind, 0, { rank, begin });
  }
}
