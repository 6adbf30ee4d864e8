import { IntegrationError } from '../errors';

/** Node's own names for a server that cannot be reached. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/**
 * SQLSTATEs, or their classes, of a database that cannot serve now: 08 connection, 53 resources (disk full, memory, too many
 * connections), 57P operator intervention (restart), 58 system, 57014 statement timeout, 25P03 idle transaction ended,
 * 25006 read only (a fail-over). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE_STATES = /^(08...|53...|57P..|58...|57014|25P03|25006)$/;

/** `pg` and `pg-pool` give these no code. */
const UNAVAILABLE_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|connection error and is not queryable|Client was closed|Query read timeout|Cannot use a pool after calling end|Driver not Connected/i;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const DISK_FULL = '53100';
/** Of the monotonic clock, ms. */
let diskFullAt = Number.NEGATIVE_INFINITY;

/** Whether a statement of this process was refused in the last so many ms because the database has no room. A question that writes nothing would not show it. */
export function diskWasFullWithin(ms: number): boolean {
  return performance.now() - diskFullAt <= ms;
}

const RETRYABLE_STATES = new Set(['40001', '40P01']);

/** Whether the whole transaction may simply be run again: a serialization failure or a deadlock, nothing was kept. */
export function isRetryableTransactionError(error: unknown): boolean {
  return RETRYABLE_STATES.has(codeOf(error) ?? '');
}

export function isStorageUnavailable(error: unknown): boolean {
  if (error instanceof IntegrationError) return error.code === 'storage_unavailable';
  if (!(error instanceof Error)) return false;
  const code = codeOf(error) ?? '';
  if (code === DISK_FULL) diskFullAt = performance.now();
  if (NETWORK_CODES.has(code) || UNAVAILABLE_STATES.test(code)) return true;
  if (UNAVAILABLE_MESSAGES.test(error.message)) return true;
  return error instanceof AggregateError && error.errors.some(isStorageUnavailable);
}

/** `storage_unavailable` (503) for a database that cannot serve now; any other error as it came. */
export function asStorageError(error: unknown): unknown {
  if (error instanceof IntegrationError || !isStorageUnavailable(error)) return error;
  return new IntegrationError('storage_unavailable', { retryAfterMs: 1_000, cause: error });
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
