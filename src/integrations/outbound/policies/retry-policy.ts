import { IntegrationError, type ErrorCode } from '../../../errors';
import type { RetryFacts } from '../../contract';

export const RETRY_DEFAULTS: RetryFacts = { maxAttempts: 4, baseMs: 250, maxMs: 10_000, maxRetryAfterMs: 30_000 };

/** Failures that another try within the same call can mend. An open circuit or a full queue is not among them: those protect somebody. */
const WORTH_ANOTHER_TRY: ReadonlySet<ErrorCode> = new Set([
  'provider_unavailable',
  'provider_timeout',
  'provider_rate_limited',
  'provider_bad_answer',
  'provider_conflict',
]);

/** Errors that somebody inside has already tried again over. */
const settled = new WeakSet<Error>();

/** Says that no step further out may try again because of this error: its own retries are used up. */
export function settle<E extends Error>(error: E): E {
  settled.add(error);
  return error;
}

export interface Failure {
  readonly error: IntegrationError;
  readonly attempt: number;
  readonly repeatable: boolean;
}

/** Whether the call may go again: there are tries left, it can help, and nothing can happen twice. */
export function mayRetry({ error, attempt, repeatable }: Failure, policy: RetryFacts): boolean {
  if (attempt >= policy.maxAttempts || settled.has(error)) return false;
  if (!error.retryable || !WORTH_ANOTHER_TRY.has(error.code)) return false;
  return error.notExecuted || repeatable;
}
