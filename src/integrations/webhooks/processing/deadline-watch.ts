import type { Clock } from '../../../clock';

/** Thrown when something took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms / 1_000} s.`);
  }
}

/**
 * Watches over many short pieces of work, one after another, with a single timer: a deadline for each costs next to nothing.
 * After the first one that is cut off it is used up. `stop()` it in the end.
 */
export class DeadlineWatch {
  private readonly cut = new AbortController();
  private readonly over = new AbortController();
  private begun = 0;
  private what = '';
  private fail?: (error: Error) => void;

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
  ) {
    void this.watch();
  }

  get signal(): AbortSignal {
    return this.cut.signal;
  }

  run<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.begun = this.clock.now();
    this.what = what;
    return new Promise<T>((resolve, reject) => {
      this.fail = reject;
      work().then(resolve, reject);
    }).finally(() => (this.fail = undefined));
  }

  stop(): void {
    this.over.abort();
  }

  private async watch(): Promise<void> {
    try {
      for (let left = this.ms; left > 0; left = this.fail ? this.begun + this.ms - this.clock.now() : this.ms)
        await this.clock.sleep(left, this.over.signal);
    } catch {
      return; // stopped
    }
    const error = new DeadlineError(this.what, this.ms);
    this.cut.abort(error);
    this.fail?.(error);
  }
}
