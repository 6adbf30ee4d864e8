import type { Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import type { Call } from './call';
import type { Interceptor, Next } from './interceptor';

export const DEFAULT_DEADLINE_MS = 30_000;
/** What is aborted gets this long to say how it ended before it is left behind, real ms. */
const GRACE_MS = 200;
const DONE = new Error('The call has ended.');

/** Ends the whole call, all tries and waits included, at its deadline or when the caller gives up. */
export class DeadlineInterceptor implements Interceptor {
  constructor(private readonly clock: Clock) {}

  async intercept(call: Call, next: Next): Promise<Response> {
    const deadlineMs = call.options.deadlineMs ?? call.provider.http.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const stop = new AbortController();
    const timer = new AbortController();
    const outer = call.signal;
    const onOuter = () => stop.abort(new IntegrationError('cancelled', { provider: call.provider.key }));
    if (outer.aborted) throw new IntegrationError('cancelled', { provider: call.provider.key, notExecuted: true });
    outer.addEventListener('abort', onOuter, { once: true });
    this.clock.sleep(deadlineMs, timer.signal).then(
      () => stop.abort(new IntegrationError('provider_timeout', { provider: call.provider.key })),
      () => undefined,
    );
    const release = () => {
      outer.removeEventListener('abort', onOuter);
      timer.abort(DONE);
    };
    try {
      const response = await settledBy(stop.signal, next({ ...call, signal: stop.signal, deadlineAt: this.clock.now() + deadlineMs }));
      // The deadline covers a body that is handed through as well.
      if (call.record.bodyEnd) void call.record.bodyEnd.then(release, release);
      else release();
      return response;
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** The work's own end where it comes in time, else the signal's reason: nothing inside can hold the caller longer. */
function settledBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const onAbort = () => {
      grace = setTimeout(() => reject(signal.reason as Error), GRACE_MS);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const end = () => {
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error as Error);
      },
    );
  });
}
