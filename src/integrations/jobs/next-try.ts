import { backOffMs } from '../../back-off';
import { findIntegrationError } from '../../errors';
import type { JobOptions, NextTry } from './job-kind';

/**
 * Whether and when a job that failed is tried again: not where the error says that no further try can help or the tries are used up,
 * never sooner than was asked for. The one rule for dead letters.
 * @param attempts so far, the failed one included
 * @param askedMs the pause that the other side asked for. Default: that of the error
 */
export function nextTry(
  error: unknown,
  attempts: number,
  { maxAttempts = Infinity, backOff }: Pick<JobOptions, 'maxAttempts' | 'backOff'>,
  askedMs = findIntegrationError(error)?.retryAfterMs ?? 0,
  random: number = Math.random(),
): NextTry {
  if (attempts >= maxAttempts || findIntegrationError(error)?.retryable === false) return 'dead';
  return { waitMs: Math.max(backOffMs(attempts, backOff, random), Math.min(askedMs, backOff.maxMs)) };
}
