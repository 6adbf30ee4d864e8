import type { Clock } from '../../../clock';
import { DeadlineError } from './deadline-error';

/**
 * Watches over many short pieces of work, one after another, with a single timer: the handlers of a batch. `withDeadline` for each takes
 * 17 µs of CPU, of about 150 that a whole event takes in a drain (B3); this takes 0.6 µs (20,000 pieces that do nothing).
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

  /** @throws DeadlineError; whatever the work throws */
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
