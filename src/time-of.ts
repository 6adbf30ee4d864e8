/** Day and time of day without a zone, as forms and some providers write them. */
const NO_ZONE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)$/;
/** The oldest of the forms of an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
/** Some write no colon in the zone, which not every engine reads. */
const NO_COLON = /(\d\d:\d\d(?:\.\d{1,9})? ?[+-]\d\d)(\d\d)$/;

/**
 * The time that a text says, ms since the epoch; NaN where it is none. Without a zone it is UTC's: where this server stands says nothing of what
 * somebody else has written.
 */
export function timeOf(text: string): number {
  const [, day, timeOfDay] = NO_ZONE.exec(text) ?? [];
  if (day !== undefined) return Date.parse(`${day}T${timeOfDay}Z`);
  return Date.parse(ASCTIME.test(text) ? `${text} GMT` : text.replace(NO_COLON, '$1:$2'));
}
