import { Logger } from '@nestjs/common';
import { findIntegrationError, IntegrationError } from '../../errors';

/** The error as a person may see it; an unknown one is logged here and becomes `internal_error`. */
export function knownErrorOf(error: unknown): IntegrationError {
  const found = findIntegrationError(error);
  if (found) return found;
  new Logger('Connect').error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new IntegrationError('internal_error', { cause: error });
}

/** Of a connect link. */
export function linkUsedUp(): IntegrationError {
  return new IntegrationError('unauthorized', {
    detail: 'This link was already used, took too long, or was not made here.',
    nextStep: 'Start connecting again.',
  });
}
