import { backOffMs } from '../../../back-off';
import { asStorageError } from '../../../database';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../../errors';

/** Starts of a run without a single page stored in between, until it fails. */
export const MAX_ATTEMPTS = 6;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 15 * 60_000;

/** What ends one resource's part of a run and leaves the others theirs. */
const PARTIAL: ReadonlySet<ErrorCode> = new Set([
  'missing_scope',
  'provider_forbidden',
  'organization_forbids',
  'provider_not_found',
  'provider_rejected',
  'provider_conflict',
  'not_supported',
  'response_too_large',
  'destination_refused',
]);

/** The access has ended; only its owner can mend it. */
const ACCESS_ENDED: ReadonlySet<ErrorCode> = new Set(['needs_reauth', 'refresh_interrupted', 'not_connected', 'decryption_failed']);

/** Any failure as ours. */
export function syncError(error: unknown): IntegrationError {
  const storage = asStorageError(error);
  return findIntegrationError(storage) ?? new IntegrationError('internal_error', { cause: error });
}

export function isPartial(error: IntegrationError): boolean {
  return PARTIAL.has(error.code);
}

export function accessEnded(error: { readonly code: ErrorCode }): boolean {
  return ACCESS_ENDED.has(error.code);
}

/**
 * How long to wait before the run goes on, or undefined where it has failed for good.
 * @param attempts starts since the last stored page, the failed one included
 */
export function retryWaitMs(error: IntegrationError, attempts: number, random: () => number = Math.random): number | undefined {
  if (!error.retryable || accessEnded(error) || attempts >= MAX_ATTEMPTS) return undefined;
  const backOff = backOffMs(attempts, { firstMs: FIRST_WAIT_MS, maxMs: LONGEST_WAIT_MS }, random());
  return Math.max(backOff, Math.min(error.retryAfterMs ?? 0, LONGEST_WAIT_MS));
}

/** What may be logged of an unexpected failure: a database error's message, query and parameters hold records. */
export function faultOf(cause: unknown): { fault: string; at?: string[] } {
  if (!(cause instanceof Error)) return { fault: typeof cause };
  const { code } = cause as { code?: unknown };
  return {
    fault: typeof code === 'string' ? `${cause.name} ${code}` : cause.name,
    at: cause.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8),
  };
}
