import type { Clock, StopSignal } from './clock';
import { IntegrationError } from './errors';

export interface DeadlineOptions {
  /** Ends the wait as well, with its reason. */
  readonly stop?: AbortSignal;
  /** What is thrown at the deadline. Default: `provider_timeout`. */
  readonly error?: () => Error;
}

/** One for all: an `abort()` without a reason makes an error, with its stack, which costs as much as all the rest. */
const IN_TIME = new Error('in time');

/**
 * Runs `work` for at most `ms`. At the deadline, or when `stop` is aborted, the work's signal is aborted and this rejects, whether the
 * work takes notice or not. The one deadline of the repository.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  { stop, error = () => new IntegrationError('provider_timeout') }: DeadlineOptions = {},
): Promise<T> {
  const late = new AbortController();
  const timer = new AbortController();
  const signal = stop ? AbortSignal.any([stop, late.signal]) : late.signal;
  if (stop?.aborted) throw abortError(stop);
  clock.sleep(ms, timer.signal).then(
    () => late.abort(error()),
    () => undefined, // the work was faster
  );
  try {
    return await unlessAborted(work(signal), signal);
  } finally {
    timer.abort(IN_TIME);
  }
}

/** The promise's outcome, or the signal's reason if that comes first. The work itself goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal?: StopSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Why the signal was aborted, as an error. */
export function abortError({ reason }: StopSignal): Error {
  return reason instanceof Error ? reason : new IntegrationError('cancelled');
}
