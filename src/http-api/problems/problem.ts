import { HttpException } from '@nestjs/common';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../errors';

/** RFC 9457, with our members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly nextStep: string;
  readonly retryable: boolean;
  /** Seconds, where known. */
  readonly retryAfter?: number;
  readonly requestId: string;
  readonly [extra: string]: unknown;
}

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** What Nest and Fastify answer by themselves, in our words. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'invalid_request',
  413: 'payload_too_large',
  414: 'invalid_request',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  431: 'invalid_request',
  503: 'shutting_down',
};

/** Puts any failure into the one shape that leaves this service. An unknown one becomes `internal_error`, without a word of its own. */
export function problemOf(error: unknown, requestId: string, publicUrl = ''): Problem {
  const known = knownError(error);
  const retryAfter = known.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(known.retryAfterMs / 1_000));
  return {
    ...known.extra,
    type: `${publicUrl}/errors#${known.code}`,
    title: known.title,
    status: known.status,
    code: known.code,
    detail: known.message,
    nextStep: known.nextStep,
    retryable: known.retryable,
    ...(retryAfter !== undefined && { retryAfter }),
    requestId,
  };
}

/** The `IntegrationError` that this failure is, or stands for. */
export function knownError(error: unknown): IntegrationError {
  const found = findIntegrationError(error);
  if (found) return found;
  const status = statusOf(error);
  const code =
    status === undefined ? undefined : (CODE_BY_STATUS[status] ?? (status >= 400 && status < 500 ? 'invalid_request' : undefined));
  return new IntegrationError(code ?? 'internal_error', { cause: error });
}

/** Only what Nest and Fastify threw for the caller's sake: another library's `statusCode` means nothing here. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  return typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' ? statusCode : undefined;
}
