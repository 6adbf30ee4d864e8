import { asService } from '../../database';

interface Waiting<T, R> {
  readonly item: T;
  readonly done: (result: R) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Writes many in one commit without making any of them wait: what comes alone is written at once, what comes while a write is under way
 * goes with the next. Bounded by its callers, each of whom waits for its own. A write is the service's: it holds what others asked for too.
 */
export class GroupedWrites<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private writing = false;

  /**
   * @param atOnce most in one write
   * @param store gives one result for each, in the same order; where it fails, all of the write fail
   */
  constructor(
    private readonly atOnce: number,
    private readonly store: (items: readonly T[]) => Promise<readonly R[]>,
  ) {}

  write(item: T): Promise<R> {
    return new Promise((done, failed) => {
      this.waiting.push({ item, done, failed });
      if (!this.writing) void asService(() => this.writeAll());
    });
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, this.atOnce);
      try {
        const results = await this.store(group.map(({ item }) => item));
        group.forEach(({ done }, index) => done(results[index] as R));
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.writing = false;
  }
}
