import type { Clock, StopSignal } from '../../../clock';
import { IntegrationError } from '../../../errors';

/**
 * Runs `work` for `ms` at most, or until `outer` is aborted: then its signal is aborted and the wait ends, whether or not the work heeds it.
 * @throws IntegrationError `provider_timeout`, or the reason of `outer`
 */
export async function within<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>, outer?: AbortSignal): Promise<T> {
  const ended = new AbortController();
  const timer = new AbortController();
  const signal = outer ? AbortSignal.any([outer, ended.signal]) : ended.signal;
  signal.throwIfAborted();
  const late = clock.sleep(ms, timer.signal).then(() => ended.abort(new IntegrationError('provider_timeout')));
  late.catch(() => undefined); // the work was faster
  try {
    return await unlessAborted(work(signal), signal);
  } finally {
    timer.abort();
  }
}

/** The promise's outcome, or the signal's reason if that comes first. The work itself goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal?: StopSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(stopped(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Why the signal was aborted, as an error. */
export function stopped({ reason }: StopSignal): Error {
  return reason instanceof Error ? reason : new IntegrationError('cancelled');
}
