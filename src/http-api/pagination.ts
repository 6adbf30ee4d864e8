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

/** Where a page of a list ended that goes by id. */
export const byId = z.strictObject({ id: z.guid() });

/** Where a page of a list ended that goes by time, and within one time by id. */
export const byTime = z.strictObject({ at: z.iso.datetime(), id: z.guid() });

/** @throws IntegrationError `invalid_cursor` */
export function positionOf<T extends z.ZodType>(text: string | undefined, position: T): z.output<T> | undefined {
  return text === undefined ? undefined : decodeCursor(text, position);
}

/** The page of what was read with one row more than it shows. @param endAt the position of its last row */
export function pageFrom<Row>(found: readonly Row[], most: number, endAt: (last: Row) => unknown): Paged<Row> {
  const data = found.slice(0, most);
  const last = data.at(-1);
  return paged(data, last !== undefined && found.length > most ? encodeCursor(endAt(last)) : null);
}
