/** Thrown when a handler took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms / 1_000} s.`);
  }
}
