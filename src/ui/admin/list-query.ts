import { z } from 'zod';
import { decodeCursor } from '../../http-api';
import { IntegrationError } from '../../errors';
import { timeOf } from '../../time-of';

/** Rows a page: what a person looks through, and at most 40 KB with names and errors as long as they get. */
export const PAGE_ROWS = 25;

/** A field of a filter form: empty means that it does not matter. */
export const filterText = z
  .string({ error: 'Give it once.' })
  .max(200, 'This is too long.')
  .optional()
  .transform((value) => value?.trim() || undefined);

export const filterId = filterText.pipe(
  z.guid({ error: 'This is no id: an id looks like 01890a5d-ac96-774b-bcce-b302099a8057.' }).optional(),
);

export function filterOf<const T extends string>(values: readonly T[]) {
  return filterText.pipe(z.enum(values, { error: 'Choose one of the list.' }).optional());
}

const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/;

/** What a form or a link says, in UTC where it names no zone. Undefined: it is no time. */
function isoTimeOf(text: string): string | undefined {
  const [, day] = TIME.exec(text) ?? [];
  const time = timeOf(text);
  // The 31st of February would be read as a day in March.
  if (day === undefined || Number.isNaN(time) || !new Date(Date.parse(day)).toISOString().startsWith(day)) return undefined;
  return new Date(time).toISOString();
}

/** A time of a form, in UTC (the page's script says the zone of whoever reads); or any ISO time, of a link. */
export const filterTime = filterText.transform((text, context) => {
  const time = text === undefined ? undefined : isoTimeOf(text);
  if (text === undefined || time !== undefined) return time;
  context.addIssue({ code: 'custom', message: 'Write a time such as 2026-03-01T10:00, in UTC.' });
  return z.NEVER;
});

/** The same as a field of a form shows it, in UTC: as short as it is exact. */
export function fieldTime(text: string | undefined): string | undefined {
  return text === undefined ? undefined : isoTimeOf(text.trim())?.replace(/(:00)?\.000Z$|Z$/, '');
}

/** What lists of what belongs to a connection take: whose it is, and when. */
export const whoseFields = { userId: filterText, account: filterText, from: filterTime, to: filterTime };

/** Where a page of a list began: the field `cursor`. */
export function cursorOf<T extends z.ZodType>(position: T) {
  return z
    .string({ error: 'Give it once.' })
    .optional()
    .transform((text, context) => {
      try {
        return text === undefined ? undefined : decodeCursor(text, position);
      } catch (error) {
        if (!(error instanceof IntegrationError)) throw error;
        context.addIssue({ code: 'custom', message: 'The list does not go on from there.' });
        return z.NEVER;
      }
    });
}

/** What a filter form was sent with. */
export interface Filters<T> {
  /** Undefined where something is wrong. */
  readonly values: T | undefined;
  /** As they were given, to be shown again and led on with. */
  readonly given: Readonly<Record<string, string>>;
  /** What is wrong, a sentence to a field. */
  readonly faults: Readonly<Record<string, string>>;
}

/** Reads each field by itself: one that is wrong leaves the others as they are. */
export function readFilters<S extends z.ZodRawShape>(shape: S, query: unknown): Filters<z.output<z.ZodObject<S>>> {
  const raw = (query ?? {}) as Readonly<Record<string, unknown>>;
  const given: Record<string, string> = {};
  const faults: Record<string, string> = {};
  const result = z.strictObject(shape).safeParse(raw);
  for (const [name, value] of Object.entries(raw)) if (Object.hasOwn(shape, name) && typeof value === 'string') given[name] = value;
  for (const issue of result.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) faults[key.slice(0, 100)] = 'This page knows no such filter.';
    else faults[String(issue.path[0])] ??= issue.message;
  }
  return { values: result.success ? result.data : undefined, given, faults };
}

/** Those that were given, without the place in the list. */
export function withoutCursor({ given }: Filters<unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => name !== 'cursor' && value !== ''));
}

/** A text as people mean it: all that begin so. */
export function beginning(text: string | undefined): string | undefined {
  return text === undefined || text.endsWith('*') ? text : `${text}*`;
}
