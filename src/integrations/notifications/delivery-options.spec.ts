import fc from 'fast-check';
import { backOffMs } from '../../back-off';
import { GIVE_UP_AFTER_MS } from './outbox';
import { DELIVERY_DEFAULTS, restMs, retryBackOff } from './delivery-options';

const backOff = retryBackOff(DELIVERY_DEFAULTS);
const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

it('waits longer after every failure, at least half of the pause and never more than the longest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempts, chance) => {
      const full = Math.min(5_000 * 3 ** (attempts - 1), DELIVERY_DEFAULTS.retryMaxMs);
      const wait = backOffMs(attempts, backOff, chance);
      return wait >= full / 2 && wait <= full;
    }),
  );
});

it('lets a destination rest no shorter than it asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 3_600_000 }), random, (failures, asked, chance) => {
      return restMs({ failures, failingForMs: failures * 1_000 }, DELIVERY_DEFAULTS, asked, chance) >= asked;
    }),
  );
});

it('tries over a whole day, from seconds at first to hours at the end', () => {
  fc.assert(
    fc.property(random, (chance) => {
      let at = 0;
      let attempts = 1;
      for (;;) {
        const wait = backOffMs(attempts, backOff, chance);
        if (at + wait > GIVE_UP_AFTER_MS) break;
        at += wait;
        attempts++;
      }
      return attempts >= 11 && attempts <= 25 && at > 19 * 3_600_000;
    }),
  );
});

it('lets a destination rest only once it has failed several times in a row', () => {
  expect(restMs({ failures: 2, failingForMs: 0 }, DELIVERY_DEFAULTS)).toBe(0);
  expect(restMs({ failures: 3, failingForMs: 0 }, DELIVERY_DEFAULTS, 0, 0)).toBe(2_500);
  const long = { failures: 1_000, failingForMs: 12 * 3_600_000 };
  expect(restMs(long, DELIVERY_DEFAULTS, 0, 0.999)).toBeLessThanOrEqual(DELIVERY_DEFAULTS.restMaxMs);
});

it('notices the end of an outage within a third of its length, however many failed at once', () => {
  for (const failingForMs of [20_000, 60_000, 600_000]) {
    const rest = restMs({ failures: 100, failingForMs }, DELIVERY_DEFAULTS, 0, 0.999);
    expect(rest).toBeLessThanOrEqual(failingForMs / 3);
    expect(rest).toBeGreaterThanOrEqual(failingForMs / 6);
  }
});
