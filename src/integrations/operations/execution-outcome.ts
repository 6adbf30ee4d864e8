import { findIntegrationError, IntegrationError, type ErrorCode } from '../../errors';

/** What a failure says about the execution. */
export type Ending =
  /** Nothing happened, and the same request may succeed later: the key is free again. */
  | 'free'
  /** Nothing happened, and it never will: this is the answer. */
  | 'answer'
  /** It may have happened. */
  | 'unknown';

/** Where one of these comes without certainty, something may have been sent. All other codes are ours, or the provider's clear no. */
const MAY_HAVE_HAPPENED: ReadonlySet<ErrorCode> = new Set([
  'provider_unavailable',
  'provider_timeout',
  'provider_bad_answer',
  'provider_conflict',
  'provider_rate_limited',
  'circuit_open',
  'busy',
  'response_too_large',
  'cancelled',
  'internal_error',
  'storage_unavailable',
  'shutting_down',
]);

/** About the connection or the service, not about the request: mended by somebody, then the same request is good. */
const NOT_ABOUT_THE_REQUEST: ReadonlySet<ErrorCode> = new Set([
  'needs_reauth',
  'refresh_interrupted',
  'not_connected',
  'missing_scope',
  'provider_not_configured',
  'provider_misconfigured',
  'credentials_rejected',
  'organization_forbids',
  'decryption_failed',
  'connection_altered',
]);

export function endingOf(error: IntegrationError): Ending {
  if (!error.notExecuted && MAY_HAVE_HAPPENED.has(error.code)) return 'unknown';
  return error.retryable || NOT_ABOUT_THE_REQUEST.has(error.code) ? 'free' : 'answer';
}

export function knownFailure(error: unknown): IntegrationError {
  return findIntegrationError(error) ?? new IntegrationError('internal_error', { cause: error });
}

/** A failure as it is stored: what the caller was told, and no more. */
interface StoredFailure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly nextStep: string;
  readonly retryable: boolean;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type StoredAnswer = { readonly body: unknown } | { readonly failure: StoredFailure };

export function storedFailure({ code, message, nextStep, retryable, extra }: IntegrationError): StoredAnswer {
  return { failure: { code, detail: message, nextStep, retryable, ...(extra && { extra }) } };
}

const replayed = new WeakSet<IntegrationError>();

export function replayedFailure({ code, ...options }: StoredFailure): IntegrationError {
  const error = new IntegrationError(code, { ...options, notExecuted: true });
  replayed.add(error);
  return error;
}

/** Whether this failure is the stored answer of an earlier request. */
export function isReplayed(error: unknown): boolean {
  return error instanceof IntegrationError && replayed.has(error);
}
