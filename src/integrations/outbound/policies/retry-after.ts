import { timeOf } from '../../../time-of';

/** Longest time that a provider can close a bucket for by one answer: an hour. A year is a mistake. */
export const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;

/**
 * Reads `Retry-After` in every form that is met: seconds, a fraction of them, an HTTP date. Negative is 0, a date is counted from the answer's own
 * `Date` (two clocks never agree), a year is capped to an hour; undefined where there is none or it makes no sense.
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function parseRetryAfter(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  if (/^[+-]?\d{1,15}(\.\d{1,9})?$/.test(text)) return capped(Number(text) * 1000);
  if (/^\d{16,}$/.test(text)) return MAX_RETRY_AFTER_MS;
  // Date.parse takes anything ("7 apples" is a date to it): a date names a month or stands in ISO form.
  const at = /^[A-Za-z]{3,9},? .*\d{2}:\d{2}|^\d{4}-\d{2}-\d{2}T/.test(text) ? timeOf(text) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const sentAt = timeOf(headers.get('date') ?? '');
  return capped(at - (Number.isNaN(sentAt) ? now : sentAt));
}

/** A wait that can be given to a timer. */
export function capped(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
