import { z } from 'zod';
import type { Extent } from '../../integrations';

/** The newest mails come first, and at once. One costs 20 of the 6,000 units that a person has in a minute. */
export const FIRST_MAILS = 200;
/** Older ones follow in runs of so many, between which whatever else is due has its turn. */
export const MAILS_A_RUN = 200;

/** How far back the list was read. Newer mail is told by the history. */
export const readShape = z.object({
  /** Mails, the newest first. */
  count: z.number(),
  /** Where the older ones begin. Absent: not known, the list is read again from its start. */
  pageToken: z.string().min(1).optional(),
  /** There are no older ones. */
  all: z.boolean(),
});
/** Where the ids of the mails go on that are older than those that were read. */
export const olderShape = z.string().min(1);
export type MailRead = z.output<typeof readShape>;

/** Of a cursor that does not say it. */
export const READ_BEFORE: MailRead = { count: FIRST_MAILS, all: false };

/** @param most as set: mails that are held at most, beside those that came since */
export function olderFollow({ count, all }: MailRead, most: number): boolean {
  return !all && count < most;
}

/** What is held, in words. */
export function mailExtent(read: MailRead, most: number): Extent {
  return read.all ? { complete: true } : { complete: false, why: heldOf(read, most) };
}

/** The same of a walk that met every mail, if only by its id. */
export function metExtent(read: MailRead, most: number): Extent {
  return read.all ? { complete: true } : { complete: true, holds: heldOf(read, most) };
}

function heldOf(read: MailRead, most: number): string {
  const count = read.count.toLocaleString('en');
  return olderFollow(read, most)
    ? `The newest ${count} mails are read; older ones follow.`
    : `Holds the newest ${count} mails and what came since.`;
}
