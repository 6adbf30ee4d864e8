import { z } from 'zod';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import { errorCode, moment } from '../../http-api';

/** A part of a connection's sync that cannot be read, of which something is left out, or that holds what has another shape. Times are ISO 8601. */
export interface PartView {
  readonly resource: string;
  /** Null: the resource has none, or it is about all of them. */
  readonly partition: string | null;
  readonly label: string;
  readonly extent: string | null;
  readonly shapeErrors: number;
  readonly shapeError: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly nextStep: string } | null;
  readonly failures: number;
  readonly failingSince: string | null;
  readonly nextTryAt: string | null;
}

export const partAnswer = z.object({
  resource: z.string(),
  partition: z.string().nullable().describe('Null: the resource has none, or it is about all of them.'),
  label: z.string(),
  extent: z
    .string()
    .nullable()
    .describe('What is left out of it, in words: nothing is taken for deleted that is not in it. Null: nothing.'),
  shapeErrors: z.number().int().describe('Records that do not have the declared shape, of those read last: they are stored as they came.'),
  shapeError: z.string().nullable().describe('What is wrong with the first of them.'),
  error: z.object({ code: errorCode, message: z.string(), nextStep: z.string() }).nullable().describe('Why it cannot be read.'),
  failures: z.number().int().describe('Tries in a row that could not read it.'),
  failingSince: moment.nullable(),
  nextTryAt: moment.nullable().describe('Syncs before it leave it out; one that a person starts tries it at once.'),
}) satisfies z.ZodType<PartView>;

/** As it is stored; times as the driver or as JSON gives them. */
export interface PartFacts {
  readonly resource: string;
  readonly partition: string;
  readonly label: string;
  readonly extent: string | null;
  readonly shape_errors: number;
  readonly shape_error: string | null;
  readonly failures: number;
  readonly error_code: ErrorCode | null;
  readonly error_message: string | null;
  readonly failing_since: Date | string | null;
  readonly next_try_at: Date | string | null;
}

export function partView(part: PartFacts): PartView {
  const kind = part.error_code && ERROR_KINDS[part.error_code];
  const isoOf = (at: Date | string | null) => (at === null ? null : new Date(at).toISOString());
  return {
    resource: part.resource,
    partition: part.partition || null,
    label: part.label,
    extent: part.extent,
    shapeErrors: part.shape_errors,
    shapeError: part.shape_error,
    error: part.error_code && kind ? { code: part.error_code, message: part.error_message ?? kind.detail, nextStep: kind.nextStep } : null,
    failures: part.failures,
    failingSince: isoOf(part.failing_since),
    nextTryAt: isoOf(part.next_try_at),
  };
}
