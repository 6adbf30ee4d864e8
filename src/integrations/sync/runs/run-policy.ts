import { asStorageError } from '../../../database';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../../errors';

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
