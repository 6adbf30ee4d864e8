import fc from 'fast-check';
import { backOffMs } from './back-off';

const options = fc.record({
  firstMs: fc.integer({ min: 1, max: 5_000 }),
  factor: fc.constantFrom(2, 3, 4),
  maxMs: fc.integer({ min: 1, max: 60_000 }),
  jitter: fc.constantFrom(0, 0.4, 0.5, 1),
});
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the back-off', () => {
  it('is never past the maximum, never below the share that is not left to chance, and finite after however many failures', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 2_000 }), unit, (given, failures, random) => {
        const full = Math.min(given.maxMs, given.firstMs * given.factor ** (failures - 1));
        const ms = backOffMs(failures, given, random);
        expect(ms).toBeLessThanOrEqual(full + 1e-6);
        expect(ms).toBeGreaterThanOrEqual(full * (1 - given.jitter) - 1e-6);
      }),
    );
  });

  it('with a jitter of 1 uses the full width: the draw decides, linearly', () => {
    fc.assert(
      fc.property(options, unit, ({ firstMs, maxMs }, random) =>
        expect(backOffMs(3, { firstMs, maxMs, jitter: 1 }, random)).toBeCloseTo(random * Math.min(maxMs, firstMs * 4), 6),
      ),
    );
  });
});
