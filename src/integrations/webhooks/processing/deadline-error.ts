import type { Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';

/** Thrown when a handler took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms / 1_000} s.`);
  }
}

export interface HandlerWork<T> {
  /** The handler's. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly stop?: AbortSignal;
  work(signal: AbortSignal): Promise<T> | T;
}

/** @throws DeadlineError; the stop's reason; whatever the handler throws */
export function handlerInTime<T>(clock: Clock, { name, timeoutMs, stop, work }: HandlerWork<T>): Promise<T> {
  const error = () => new DeadlineError(`The handler ${name}`, timeoutMs);
  return withDeadline(clock, timeoutMs, async (signal) => work(signal), { stop, error });
}
