import type { Call } from './call';

export type Next = (call: Call) => Promise<Response>;

/**
 * One step of the way out. It knows what it is for and `next`, nothing of the other steps. It waits only where there is something to wait
 * for: every `await` of every step is a promise more for each call, and they would cost more than what the steps do.
 */
export interface Interceptor {
  intercept(call: Call, next: Next): Promise<Response>;
}

/** Puts the steps round `last`, the first outermost. What a step throws before it returns is a failure of the call like any other. */
export function compose(steps: readonly Interceptor[], last: Next): Next {
  return steps.reduceRight<Next>(
    (next, step) => (call) => {
      try {
        return step.intercept(call, next);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    last,
  );
}
