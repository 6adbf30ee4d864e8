import { ENGLISH, type Language } from '../languages';

/** "in 40 s", "in 3 minutes"; "now" when it is due. */
export function timeUntil(at: Date, nowMs: number, language: Language = ENGLISH): string {
  return language.timeUntil(at, nowMs);
}

/** "3 minutes ago", "in 2 hours"; "just now" within a minute, clocks that differ a little included. */
export function relativeTime(at: Date, nowMs: number, language: Language = ENGLISH): string {
  return language.relativeTime(at, nowMs);
}
