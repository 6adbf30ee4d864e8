import { ERROR_KINDS, type ErrorCode } from './error-kinds';

export interface IntegrationErrorOptions {
  /** A more precise sentence for a person; the kind's own by default. Never a provider's raw body. */
  detail?: string;
  /** What to do now; the kind's own by default. */
  nextStep?: string;
  retryable?: boolean;
  /** Milliseconds until another try makes sense, where known. */
  retryAfterMs?: number;
  /** True where it is certain that the provider did nothing (refused, limited, never sent). */
  notExecuted?: boolean;
  provider?: string;
  /** HTTP status of the provider's answer. */
  providerStatus?: number;
  /** The provider's own error code, e.g. `channel_not_found`. */
  providerCode?: string;
  /** The provider's request id, for its support. */
  providerRequestId?: string;
  /** Extra members of the problem document, e.g. `{ declineCode }`. Public: never a secret. */
  extra?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** The one error of the product: classified once, at the edge where it was met. */
export class IntegrationError extends Error {
  override readonly name = 'IntegrationError';
  readonly status: number;
  readonly title: string;
  readonly nextStep: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly notExecuted: boolean;
  readonly provider?: string;
  readonly providerStatus?: number;
  readonly providerCode?: string;
  readonly providerRequestId?: string;
  readonly extra?: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    options: IntegrationErrorOptions = {},
  ) {
    const kind = ERROR_KINDS[code];
    super(options.detail ?? kind.detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = kind.status;
    this.title = kind.title;
    this.nextStep = options.nextStep ?? kind.nextStep;
    this.retryable = options.retryable ?? kind.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.notExecuted = options.notExecuted ?? false;
    this.provider = options.provider;
    this.providerStatus = options.providerStatus;
    this.providerCode = options.providerCode !== undefined && isCode(options.providerCode) ? options.providerCode : undefined;
    this.providerRequestId = options.providerRequestId;
    this.extra = options.extra;
  }
}

/** A word of a provider's list of codes. What begins like a token or key is none: codes are logged, stored and shown. */
function isCode(text: string): boolean {
  return /^\w[\w.:-]{0,63}$/.test(text) && !/^(xox|xapp|[sr]k_|whsec_|ya29|GOCSPX|eyJ)/.test(text);
}

/**
 * Finds the `IntegrationError` inside whatever a provider's SDK wrapped round it (`original`, `cause`, `detail`, ...),
 * or undefined where there is none. Looks four levels deep.
 */
export function findIntegrationError(error: unknown, depth = 4): IntegrationError | undefined {
  if (error instanceof IntegrationError) return error;
  if (depth === 0 || typeof error !== 'object' || error === null) return undefined;
  const inner = [(error as { cause?: unknown }).cause, ...Object.values(error)];
  for (const value of inner) {
    const found = isErrorLike(value) ? findIntegrationError(value, depth - 1) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Also an error of another realm (a worker, a test's sandbox), which is no `Error` of ours. */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return (
    value instanceof Error ||
    Object.prototype.toString.call(value) === '[object Error]' ||
    typeof (value as { stack?: unknown }).stack === 'string'
  );
}
