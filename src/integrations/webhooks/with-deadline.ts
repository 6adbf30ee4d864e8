import type { Clock } from '../../clock';

/** Thrown when something took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Runs `work` for at most `ms`. At the deadline, or when `stop` is aborted, its signal is aborted and this rejects, whether `work`
 * takes notice or not.
 */
export async function withDeadline<T>(clock: Clock, ms: number, what: string, work: (signal: AbortSignal) => Promise<T>, stop?: AbortSignal): Promise<T> {
  const cut = new AbortController();
  const onStop = () => cut.abort(stop?.reason);
  if (stop?.aborted) onStop();
  stop?.addEventListener('abort', onStop, { once: true });
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => cut.abort(new DeadlineError(`${what} did not end within ${ms / 1_000} s.`)), () => undefined);
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
