import { fieldTime, filterTime } from './list-query';

it.each([
  ['2026-03-01T10:30', '2026-03-01T10:30:00.000Z', '2026-03-01T10:30'],
  ['2026-03-01T10:30Z', '2026-03-01T10:30:00.000Z', '2026-03-01T10:30'],
  ['2026-03-01T10:30:05', '2026-03-01T10:30:05.000Z', '2026-03-01T10:30:05'],
  ['2026-03-01T10:30:05.120', '2026-03-01T10:30:05.120Z', '2026-03-01T10:30:05.120'],
  ['2026-03-01T12:30:00+02:00', '2026-03-01T10:30:00.000Z', '2026-03-01T10:30'],
  [' 2026-03-01T10:30:00Z ', '2026-03-01T10:30:00.000Z', '2026-03-01T10:30'],
])('reads %s in UTC where it names no zone, and shows it so', (text, time, shown) => {
  expect([filterTime.parse(text), fieldTime(text)]).toEqual([time, shown]);
});

it.each(['yesterday', '2026-03-01', '2026-02-31T10:30', '2026-03-01T25:00', '2026-03-01 10:30', '2026-03-01T10:30 PST'])(
  'takes no %s, and shows an empty field',
  (text) => {
    expect([filterTime.safeParse(text).success, fieldTime(text)]).toEqual([false, undefined]);
  },
);
