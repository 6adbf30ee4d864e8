import fc from 'fast-check';
import { ERROR_KINDS, IntegrationError, type ErrorCode } from '../../../errors';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from './retry-after';
import { mayRetry, RETRY_DEFAULTS, settle } from './retry-policy';

const NOW = Date.UTC(2026, 10, 24, 12);
const read = (value: string | undefined, date?: string) =>
  parseRetryAfter(new Headers({ ...(value !== undefined && { 'retry-after': value }), ...(date !== undefined && { date }) }), NOW);
const HOUR = MAX_RETRY_AFTER_MS;

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    [' 3 ', 3_000],
    ['0', 0],
    ['0.5', 500],
    ['1.0001', 1_001],
    ['-5', 0],
    ['31536000', HOUR],
    ['99999999999999999999', HOUR],
    ['Tue, 24 Nov 2026 12:00:10 GMT', 10_000],
    ['Tuesday, 24-Nov-26 12:00:10 GMT', 10_000],
    ['2026-11-24T12:00:10Z', 10_000],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    ['Wed, 24 Nov 2027 12:00:00 GMT', HOUR],
    ['soon', undefined],
    ['7 apples', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['3, 5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%p is %p ms', (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  it('counts a date from the provider’s own clock', () => {
    expect(read('Tue, 24 Nov 2026 09:00:10 GMT', 'Tue, 24 Nov 2026 09:00:00 GMT')).toBe(10_000);
  });

  it('is a wait that a timer can take, whatever a provider sends', () => {
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.bigInt().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(value, (text) => {
        if (/[^\x20-\x7e]/.test(text)) return;
        const ms = read(text);
        expect(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= HOUR)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never shorter than the whole or partial seconds that were asked', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 3_000, noNaN: true }), (seconds) =>
        expect(read(seconds.toFixed(6))).toBeGreaterThanOrEqual(Number(seconds.toFixed(6)) * 1_000 - 1e-6),
      ),
    );
  });
});

describe('another try', () => {
  const policy = RETRY_DEFAULTS;
  const codes = Object.keys(ERROR_KINDS) as ErrorCode[];
  const failure = fc.record({
    code: fc.constantFrom(...codes),
    notExecuted: fc.boolean(),
    attempt: fc.integer({ min: 1, max: 6 }),
    repeatable: fc.boolean(),
  });

  it('is never made where something could happen twice, nor past the last', () => {
    fc.assert(
      fc.property(failure, ({ code, notExecuted, attempt, repeatable }) => {
        const again = mayRetry({ error: new IntegrationError(code, { notExecuted }), attempt, repeatable }, policy);
        if (!notExecuted && !repeatable) expect(again).toBe(false);
        if (attempt >= policy.maxAttempts || !ERROR_KINDS[code].retryable) expect(again).toBe(false);
      }),
    );
  });

  it.each(['provider_unavailable', 'provider_timeout', 'provider_rate_limited', 'provider_bad_answer'] as const)(
    'is made after %s',
    (code) => {
      expect(mayRetry({ error: new IntegrationError(code), attempt: 1, repeatable: true }, policy)).toBe(true);
      expect(mayRetry({ error: new IntegrationError(code, { notExecuted: true }), attempt: 1, repeatable: false }, policy)).toBe(true);
    },
  );

  it.each(['circuit_open', 'busy', 'cancelled', 'storage_unavailable', 'internal_error'] as const)(
    'is not made after %s, which protects somebody or is ours',
    (code) => {
      expect(mayRetry({ error: new IntegrationError(code, { notExecuted: true }), attempt: 1, repeatable: true }, policy)).toBe(false);
    },
  );

  it('is not made where somebody inside has used up the tries', () => {
    expect(
      mayRetry(
        { error: settle(new IntegrationError('provider_unavailable', { notExecuted: true })), attempt: 1, repeatable: true },
        policy,
      ),
    ).toBe(false);
  });
});
