import type { Clock } from '../../../clock';

/** Thrown when something took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Runs `work` for at most `ms`. At the deadline, or when `stop` is aborted, its signal is aborted and this rejects, whether `work`
 * takes notice or not.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const cut = new AbortController();
  const onStop = () => cut.abort(stop?.reason);
  if (stop?.aborted) onStop();
  stop?.addEventListener('abort', onStop, { once: true });
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(
    () => cut.abort(new DeadlineError(`${what} did not end within ${ms / 1_000} s.`)),
    () => undefined,
  );
  const aborted = new Promise<never>((_, reject) => {
    if (cut.signal.aborted) reject(cut.signal.reason as Error);
    cut.signal.addEventListener('abort', () => reject(cut.signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([work(cut.signal), aborted]);
  } finally {
    stop?.removeEventListener('abort', onStop);
    over.abort();
    await late;
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
    const error = new DeadlineError(`${this.what} did not end within ${this.ms / 1_000} s.`);
    this.cut.abort(error);
    this.fail?.(error);
  }
}
