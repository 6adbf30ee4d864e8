/** How the pauses between tries grow. */
export interface BackOffOptions {
  /** The pause after the first failure, ms. */
  readonly firstMs: number;
  /** How many times as long each further one is. Default 2. */
  readonly factor?: number;
  /** The longest pause, ms. */
  readonly maxMs: number;
  /** The share of a pause that is left to chance, 0 to 1: what failed together must not come back together. Default 0.5. */
  readonly jitter?: number;
}

/**
 * The pause before the next try, ms: exponential, in part at random. The one back-off of the repository.
 * @param failures so far, the last one included; from 1
 * @param random 0 to 1
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter
 */
export function backOffMs(
  failures: number,
  { firstMs, factor = 2, maxMs, jitter = 0.5 }: BackOffOptions,
  random: number = Math.random(),
): number {
  const full = Math.min(firstMs * factor ** Math.min(Math.max(failures - 1, 0), 60), maxMs);
  return full * (1 - jitter + jitter * random);
}
