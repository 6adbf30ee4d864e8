import { RequestLimiter } from './request-limiter';

describe('RequestLimiter', () => {
  let now = 0;
  const limiter = () => new RequestLimiter({ perSecond: 10, burst: 20 }, () => now);

  it('lets a burst through, then tells how long to wait', () => {
    const limits = limiter();
    const waits = Array.from({ length: 21 }, () => limits.take('a'));
    expect(waits.slice(0, 20).every((wait) => wait === 0)).toBe(true);
    expect(waits[20]).toBe(100);
  });

  it('never lets more through than the burst and the rate allow, however it is asked', () => {
    const limits = limiter();
    let passed = 0;
    for (let i = 0; i < 5_000; i++) {
      now += i % 7;
      if (limits.take('b') === 0) passed++;
    }
    expect(passed).toBeLessThanOrEqual(20 + (now / 1_000) * 10);
    expect(passed).toBeGreaterThan((now / 1_000) * 10 - 1);
  });

  it('counts every key by itself, and keeps only so many', () => {
    const limits = limiter();
    for (let i = 0; i < 20; i++) limits.take('c');
    expect(limits.take('c')).toBeGreaterThan(0);
    for (let i = 0; i < 20_000; i++) expect(limits.take(`other-${i}`)).toBe(0);
    expect(limits.take('c')).toBe(0); // forgotten: memory is bounded
  });
});
