import { IntegrationError, type ErrorCode, type IntegrationErrorOptions } from '../../errors';
import type { ProviderFault } from '../contract';

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The parsed body where it is JSON. */
  readonly json: unknown;
}

/**
 * A provider's failing answer, put into our words. What only the chain may see is private, so that nothing prints it.
 */
export class AnswerError extends IntegrationError {
  readonly #answer: Answer;
  readonly #fault: Pick<ProviderFault, 'tokenExpired' | 'grantEnded'>;

  constructor(
    code: ErrorCode,
    options: IntegrationErrorOptions,
    answer: Answer,
    fault: Pick<ProviderFault, 'tokenExpired' | 'grantEnded'>,
  ) {
    super(code, options);
    this.#answer = answer;
    this.#fault = fault;
  }

  get answer(): Answer {
    return this.#answer;
  }

  /** One refresh may mend it. */
  get tokenExpired(): boolean {
    return this.#fault.tokenExpired ?? false;
  }

  /** No refresh can mend it. */
  get grantEnded(): boolean {
    return this.#fault.grantEnded ?? false;
  }
}

/** The same refusal by what it means for whoever called, in words of its own where those of the code do not say it. */
export function restated(
  error: IntegrationError,
  code: ErrorCode,
  words: Pick<IntegrationErrorOptions, 'detail' | 'nextStep'> = {},
): IntegrationError {
  const { provider, providerStatus, providerCode, providerRequestId } = error;
  return new IntegrationError(code, {
    ...words,
    provider,
    providerStatus,
    providerCode,
    providerRequestId,
    notExecuted: true,
    cause: error,
  });
}

/** The same failure, of a call that an earlier try may have carried out. */
export function inDoubt(error: IntegrationError): IntegrationError {
  const { nextStep, retryable, retryAfterMs, provider, providerStatus, providerCode, providerRequestId, extra } = error;
  const options: IntegrationErrorOptions = {
    detail: error.message,
    nextStep,
    retryable,
    retryAfterMs,
    notExecuted: false,
    provider,
    providerStatus,
    providerCode,
    providerRequestId,
    extra,
    cause: error,
  };
  return error instanceof AnswerError
    ? new AnswerError(error.code, options, error.answer, error)
    : new IntegrationError(error.code, options);
}

/** The same failure of a call that had to be made first: the call that it was for was not made, and nothing of its answer is that one's. */
export function notMade(error: IntegrationError): IntegrationError {
  const { nextStep, retryable, retryAfterMs, provider, providerStatus, providerCode, providerRequestId, extra } = error;
  return new IntegrationError(error.code, {
    detail: error.message,
    nextStep,
    retryable,
    retryAfterMs,
    provider,
    providerStatus,
    providerCode,
    providerRequestId,
    extra,
    notExecuted: true,
    cause: error,
  });
}
