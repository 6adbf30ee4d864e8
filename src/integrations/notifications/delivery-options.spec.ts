import fc from 'fast-check';
import { OUTGOING_DEFAULTS, restMs, retryWaitMs } from './delivery-options';

const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

it('waits longer after every failure, at least half of the pause and never more than the longest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempts, chance) => {
      const full = Math.min(5_000 * 3 ** (attempts - 1), OUTGOING_DEFAULTS.retryMaxMs);
      const wait = retryWaitMs(attempts, OUTGOING_DEFAULTS, 0, chance);
      return wait >= full / 2 && wait <= full;
    }),
  );
});

it('never comes back before the time that was asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 3_600_000 }), random, (attempts, asked, chance) => {
      return (
        retryWaitMs(attempts, OUTGOING_DEFAULTS, asked, chance) >= asked && restMs(attempts, OUTGOING_DEFAULTS, asked, chance) >= asked
      );
    }),
  );
});

it('tries over a whole day, from seconds at first to hours at the end', () => {
  fc.assert(
    fc.property(random, (chance) => {
      let at = 0;
      let attempts = 1;
      for (;;) {
        const wait = retryWaitMs(attempts, OUTGOING_DEFAULTS, 0, chance);
        if (at + wait > OUTGOING_DEFAULTS.giveUpAfterMs) break;
        at += wait;
        attempts++;
      }
      return attempts >= 11 && attempts <= 25 && at > 19 * 3_600_000;
    }),
  );
});

it('lets a destination rest only once it has failed several times in a row', () => {
  expect(restMs(2, OUTGOING_DEFAULTS)).toBe(0);
  expect(restMs(3, OUTGOING_DEFAULTS, 0, 0)).toBe(2_500);
  expect(restMs(1_000, OUTGOING_DEFAULTS, 0, 0.999)).toBeLessThanOrEqual(OUTGOING_DEFAULTS.restMaxMs);
});
