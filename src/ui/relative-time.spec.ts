import { relativeTime } from './relative-time';

describe('relativeTime', () => {
  const now = Date.UTC(2026, 0, 10, 12, 0, 0);
  it.each([
    [0, 'just now'],
    [59, 'just now'],
    [-20, 'just now'],
    [60, '1 minute ago'],
    [3 * 60 + 20, '3 minutes ago'],
    [2 * 3600, '2 hours ago'],
    [86_400, 'yesterday'],
    [5 * 86_400, '5 days ago'],
  ])('says of %i seconds "%s"', (seconds, text) => {
    expect(relativeTime(new Date(now - seconds * 1000), now)).toBe(text);
  });
});
