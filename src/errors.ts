/** Every failure a person can meet: the error, and the kinds of it. */
export { ERROR_KINDS, type ErrorCode, type ErrorKind } from './error-kinds';
export { findIntegrationError, IntegrationError, type IntegrationErrorOptions } from './integration-error';
