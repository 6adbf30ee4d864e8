import { z } from 'zod';
import { IntegrationError } from '../errors';

export interface Paged<T> {
  readonly data: readonly T[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

/** Query field: how many at most. */
export const limit = z.coerce.number({ error: 'must be a number from 1 to 1000' }).int().min(1).max(1000).default(100);

/** Query field: an opaque cursor; read it with `decodeCursor`. */
export const cursor = z.string().max(2_000).optional();

/** The shape of every list. */
export function paged<T>(data: readonly T[], nextCursor: string | null = null): Paged<T> {
  return { data, nextCursor };
}

/** Makes an opaque cursor of JSON. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * Reads a cursor that came from outside.
 * @throws IntegrationError `invalid_cursor`
 */
export function decodeCursor<T extends z.ZodType>(text: string, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (cause) {
    throw new IntegrationError('invalid_cursor', { cause });
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new IntegrationError('invalid_cursor', { cause: result.error });
  return result.data;
}
