import { z } from 'zod';
import { cursor } from '../../http-api';

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
export const pageFields = { cursor };
