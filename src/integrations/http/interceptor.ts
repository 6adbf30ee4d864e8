import type { Call } from './call';

export type Next = (call: Call) => Promise<Response>;

/** One step of the way out. It knows what it is for and `next`, nothing of the other steps. */
export interface Interceptor {
  intercept(call: Call, next: Next): Promise<Response>;
}

/** Puts the steps round `last`, the first outermost. */
export function compose(steps: readonly Interceptor[], last: Next): Next {
  return steps.reduceRight<Next>((next, step) => (call) => step.intercept(call, next), last);
}
