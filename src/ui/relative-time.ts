const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const FORMAT = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "in 40 s", "in 3 minutes"; "now" when it is due. */
export function timeUntil(at: Date, nowMs: number): string {
  const seconds = Math.ceil((at.getTime() - nowMs) / 1000);
  if (seconds <= 0) return 'now';
  return seconds < 60 ? `in ${seconds} s` : relativeTime(at, nowMs);
}

/** "3 minutes ago", "in 2 hours"; "just now" within a minute, clocks that differ a little included. */
export function relativeTime(at: Date, nowMs: number): string {
  const seconds = Math.round((nowMs - at.getTime()) / 1000);
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return FORMAT.format(-Math.trunc(seconds / size), unit);
  }
  return 'just now';
}
