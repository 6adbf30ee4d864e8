import type { components } from './api-types.ts';

type Problem = components['schemas']['Problem'];

/** What Trestle answers, and what only a client sees: no answer at all, none in time, or one that is not Trestle's. */
export type ErrorCode = Problem['code'] | 'network_failed' | 'deadline_exceeded' | 'unexpected_answer';

export interface ErrorFacts {
  readonly code: ErrorCode;
  /** HTTP status; 0 where nothing was answered. */
  readonly status: number;
  readonly detail: string;
  readonly nextStep: string;
  readonly retryable: boolean;
  readonly retryAfter?: number;
  readonly requestId?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A call that failed. Decide by `code`; show `detail` and `nextStep` to a person; give `requestId` to whoever runs Trestle. */
export class TrestleError extends Error {
  override readonly name = 'TrestleError';
  readonly code: ErrorCode;
  /** HTTP status; 0 where nothing was answered. */
  readonly status: number;
  /** One sentence for a person. */
  readonly detail: string;
  /** One sentence: what to do now. */
  readonly nextStep: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Seconds, where known. */
  readonly retryAfter: number | undefined;
  readonly requestId: string | undefined;
  /** What else the problem says, e.g. `declineCode`, `missingScopes`. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor({ code, status, detail, nextStep, retryable, retryAfter, requestId, extra = {} }: ErrorFacts, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.nextStep = nextStep;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
    this.extra = extra;
  }
}

/** Of every problem. */
const MEMBERS = new Set(['type', 'title', 'status', 'code', 'detail', 'nextStep', 'retryable', 'retryAfter', 'requestId']);

/** @param body of an answer outside of 2xx, parsed where it is JSON */
export function errorOf(response: Response, body: unknown): TrestleError {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  if (!isProblem(body))
    return new TrestleError({
      code: 'unexpected_answer',
      status: response.status,
      detail: `Something on the way to Trestle answered ${response.status}.`,
      nextStep: 'Check the base URL, and the proxies in between.',
      retryable: response.status >= 500,
      retryAfter: secondsOf(response.headers.get('retry-after')),
      requestId,
    });
  const { status, code, detail, nextStep, retryable, retryAfter } = body;
  const extra = Object.fromEntries(Object.entries(body).filter(([name]) => !MEMBERS.has(name)));
  return new TrestleError({ code, status, detail, nextStep, retryable, retryAfter, requestId: body.requestId ?? requestId, extra });
}

/** `Retry-After`: seconds, or a date. */
export function secondsOf(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(header) - now) / 1_000;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function isProblem(body: unknown): body is Problem & Record<string, unknown> {
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
  return typeof code === 'string' && typeof detail === 'string';
}
