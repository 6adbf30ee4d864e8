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
export type MailRead = z.output<typeof readShape>;

/** Of a cursor that does not say it. */
export const READ_BEFORE: MailRead = { count: FIRST_MAILS, all: false };

/** @param most as set: mails that are held at most, beside those that came since */
export function olderFollow({ count, all }: MailRead, most: number): boolean {
  return !all && count < most;
}

/** What is held, in words. */
export function mailExtent(read: MailRead, most: number): Extent {
  if (read.all) return { complete: true };
  const count = read.count.toLocaleString('en');
  return {
    complete: false,
    why: olderFollow(read, most)
      ? `The newest ${count} mails are read; older ones follow.`
      : `Holds the newest ${count} mails and what came since.`,
  };
}
