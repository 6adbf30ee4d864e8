import { findIntegrationError, type ErrorCode } from '../../../errors';
import { redacted } from '../../../redaction';

export interface FailureReason {
  readonly code: ErrorCode;
  /** For an administrator: one line, without a secret. */
  readonly message: string;
  /** The provider asked for at least this pause, ms. */
  readonly retryAfterMs?: number;
}

const MAX_CHARS = 500;

/** What is kept of a failure. */
export function reasonOf(error: unknown): FailureReason {
  const known = findIntegrationError(error);
  if (known) return { code: known.code, message: clean(known.message), retryAfterMs: known.retryAfterMs };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'webhook_handler_failed', message: clean(text) };
}

function clean(text: string): string {
  const line = redacted(text.replace(/\p{Cc}+/gu, ' '), '[secret]').trim();
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS - 1)}…` : line;
}
