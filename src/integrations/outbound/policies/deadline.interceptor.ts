import type { Clock } from '../../../clock';
import { IntegrationError, type ErrorCode } from '../../../errors';
import type { Call } from '../call';
import { CallSignal } from '../call-signal';
import type { Interceptor, Next } from '../interceptor';

export const DEFAULT_DEADLINE_MS = 30_000;
/** What is aborted gets this long to say how it ended before it is left behind, real ms. */
const GRACE_MS = 200;
/** Takes a deadline away. */
const OVER = new Error('The call has ended.');

/** Ends the whole call, all tries and waits included, at its deadline or when the caller gives up. */
export class DeadlineInterceptor implements Interceptor {
  constructor(private readonly clock: Clock) {}

  intercept(call: Call, next: Next): Promise<Response> {
    const deadlineMs = call.options.deadlineMs ?? call.provider.http.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const provider = call.provider.key;
    const { callerSignals, record } = call;
    if (callerSignals.some(({ aborted }) => aborted))
      return Promise.reject(new IntegrationError('cancelled', { provider, notExecuted: true }));
    return new Promise<Response>((resolve, reject) => {
      const signal = new CallSignal();
      let grace: NodeJS.Timeout | undefined;
      const end = (code: ErrorCode) => {
        if (signal.aborted) return;
        const reason = new IntegrationError(code, { provider });
        // Its own end where it comes in time, else this: nothing inside can hold the caller longer.
        grace = setTimeout(() => reject(reason), GRACE_MS);
        signal.abort(reason);
      };
      const onCaller = () => end('cancelled');
      for (const caller of callerSignals) caller.addEventListener('abort', onCaller, { once: true });
      const timer = new CallSignal();
      this.clock.sleep(deadlineMs, timer).then(
        () => end('provider_timeout'),
        () => undefined,
      );
      const release = () => {
        timer.abort(OVER);
        clearTimeout(grace);
        for (const caller of callerSignals) caller.removeEventListener('abort', onCaller);
      };
      next({ ...call, signal, deadlineAt: this.clock.now() + deadlineMs }).then(
        (response) => {
          // The deadline covers a body that is handed through as well.
          if (record.bodyEnd) void record.bodyEnd.then(release, release);
          else release();
          resolve(response);
        },
        (error: unknown) => {
          release();
          reject(error as Error);
        },
      );
    });
  }
}
