import { TrestleError, type ErrorCode } from '../../client/src/trestle-error.ts';

/** What happens in a page only; what Trestle answers has Trestle's own codes. */
const PAGE_FAULTS = {
  blocked_by_browser: {
    detail: 'The browser did not open the window.',
    nextStep: 'Allow pop-ups for this page, then try again.',
  },
  denied: { detail: 'The access was not allowed.', nextStep: 'Try again, and allow it, where you want to connect.' },
  closed: {
    detail: 'The window was closed, or this page lost sight of it, before it was done.',
    nextStep: 'Try again; if you finish in that window, it shows here.',
  },
  took_too_long: { detail: 'It was not finished in time.', nextStep: 'Try again.' },
  token_unavailable: { detail: 'You are not signed in here, or your session has ended.', nextStep: 'Load the page again.' },
} as const;

export type PageFault = keyof typeof PAGE_FAULTS;
export type EmbedErrorCode = PageFault | ErrorCode;

/** Something did not work. Decide by `code`; `detail` and `nextStep` are for the person. */
export class EmbedError extends Error {
  override readonly name = 'EmbedError';

  constructor(
    readonly code: EmbedErrorCode,
    /** One sentence for a person. */
    readonly detail: string,
    /** One sentence: what to do now. */
    readonly nextStep: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
  }
}

export function pageFault(code: PageFault, options?: ErrorOptions): EmbedError {
  const { detail, nextStep } = PAGE_FAULTS[code];
  return new EmbedError(code, detail, nextStep, options);
}

/** Whatever was thrown, as one of ours. */
export function embedErrorOf(error: unknown): EmbedError {
  if (isEmbedError(error)) return error;
  if (error instanceof TrestleError) return new EmbedError(error.code, error.detail, error.nextStep, { cause: error });
  return new EmbedError('unexpected_answer', 'Something went wrong.', 'Try again.', { cause: error });
}

/** By its name: the script tag and a page's own bundle each have a class of it. */
function isEmbedError(error: unknown): error is EmbedError {
  return error instanceof Error && error.name === 'EmbedError';
}
