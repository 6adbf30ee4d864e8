import { z } from 'zod';
import { cursor, decodeCursor, encodeCursor } from '../../http-api';

/** Rows a page: what a person looks through. */
export const PAGE_ROWS = 50;

/** A field of a filter form: empty means that it does not matter. */
export const filterText = z
  .string()
  .max(200)
  .optional()
  .transform((value) => value?.trim() || undefined);

export const filterId = filterText.pipe(z.guid({ error: 'is not an id' }).optional());

export function filterOf<const T extends string>(values: readonly T[]) {
  return filterText.pipe(z.enum(values, { error: 'is not one of the list' }).optional());
}

/** What every list page takes beside its filters. */
export const pageFields = { cursor, notice: z.string().max(40).optional() };

const position = z.strictObject({ at: z.iso.datetime(), id: z.guid() });
type Position = z.infer<typeof position>;

/** @throws IntegrationError `invalid_cursor` */
export function positionOf(text: string | undefined): Position | undefined {
  return text === undefined ? undefined : decodeCursor(text, position);
}

export interface ListPage<T> {
  readonly rows: readonly T[];
  readonly nextCursor: string | null;
}

/** Cuts what was read with one row more than is shown. */
export function listPage<T extends { readonly id: string }>(found: readonly T[], at: (row: T) => string): ListPage<T> {
  const rows = found.slice(0, PAGE_ROWS);
  const last = rows.at(-1);
  return { rows, nextCursor: last && found.length > rows.length ? encodeCursor({ at: at(last), id: last.id }) : null };
}
