import { RefusedAfterRenewal } from './refused-after-renewal';

const MINUTE = 60_000;
let now = 0;
const notesAt = (refusals: RefusedAfterRenewal, minutes: number[]) =>
  minutes.map((minute) => {
    now = minute * MINUTE;
    return refusals.note('c1');
  });

it('is too often the third time, a minute apart at least', () => {
  expect(notesAt(new RefusedAfterRenewal({ now: () => now }), [0, 0.1, 0.2, 0.3, 1, 1.5, 2])).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
    true,
  ]);
});

it('is forgotten after half an hour, and when a renewed token was taken', () => {
  const refusals = new RefusedAfterRenewal({ now: () => now });
  expect(notesAt(refusals, [0, 29, 59, 89, 119])).toEqual([false, false, false, false, false]);
  expect(notesAt(refusals, [120, 121])).toEqual([false, true]);
  refusals.forget('c1');
  expect(notesAt(refusals, [122, 123, 124])).toEqual([false, false, true]);
});

it('pauses renewals for a minute, of that connection only', () => {
  const refusals = new RefusedAfterRenewal({ now: () => now });
  notesAt(refusals, [0]);
  const paused = (minute: number, id = 'c1') => {
    now = minute * MINUTE;
    return refusals.isPaused(id);
  };
  expect([paused(0), paused(0.9), paused(1), paused(0, 'c2')]).toEqual([true, true, false, false]);
});
