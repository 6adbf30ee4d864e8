import fc from 'fast-check';
import { CIRCUIT_DEFAULTS, CircuitBreaker, type Verdict } from './circuit-breaker';
import { VirtualClock } from '../testing/virtual-clock';

function breaker(random = () => 0.5) {
  const clock = new VirtualClock();
  const circuit = new CircuitBreaker(clock, random);
  const tryOnce = (verdict: Verdict): boolean => {
    try {
      circuit.enter('p')(verdict);
      return true;
    } catch {
      return false;
    }
  };
  const fail = (times: number) => Array.from({ length: times }, () => tryOnce('failed'));
  return { clock, circuit, tryOnce, fail };
}

describe('the circuit', () => {
  it('opens when half of at least twenty tries failed, and says for how long', () => {
    const { circuit, fail } = breaker();
    fail(19);
    expect(circuit.state).toBe('closed');
    fail(1);
    expect(circuit.state).toBe('open');
    expect(() => circuit.enter('p')).toThrow(
      expect.objectContaining({ code: 'circuit_open', notExecuted: true, retryAfterMs: 5_000 }) as Error,
    );
  });

  it('stays closed while most tries go well, and for refusals, which show that somebody is there', () => {
    const { circuit, tryOnce } = breaker();
    for (let n = 0; n < 200; n++) tryOnce(n % 3 === 0 ? 'failed' : 'alive');
    expect(circuit.state).toBe('closed');
  });

  it('forgets failures that are older than its window', async () => {
    const { clock, circuit, fail } = breaker();
    fail(15);
    await clock.advance(CIRCUIT_DEFAULTS.windowMs + 1);
    fail(15);
    expect(circuit.state).toBe('closed');
  });

  it('asks with one probe only', async () => {
    const { clock, circuit, fail } = breaker();
    fail(20);
    await clock.advance(5_000);
    expect(circuit.state).toBe('half_open');
    const leave = circuit.enter('p');
    for (let n = 0; n < 10; n++) expect(() => circuit.enter('p')).toThrow();
    leave('failed');
    expect(circuit.state).toBe('open');
  });

  it('asks again after a probe that said nothing', async () => {
    const { clock, circuit, fail, tryOnce } = breaker();
    fail(20);
    await clock.advance(5_000);
    tryOnce('neutral');
    expect(circuit.state).toBe('half_open');
    expect(tryOnce('alive')).toBe(true);
    expect(circuit.state).toBe('closed');
  });

  it('waits longer after each failed probe, up to a minute', async () => {
    const { clock, circuit, fail, tryOnce } = breaker();
    fail(20);
    const pauses: number[] = [];
    for (let n = 0; n < 6; n++) {
      const from = clock.now();
      while (circuit.state === 'open') await clock.advance(500);
      pauses.push(clock.now() - from);
      tryOnce('failed');
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('after a day of outage has asked seldom, and lets the backlog in step by step', async () => {
    const { clock, circuit, fail } = breaker();
    fail(20);
    let probes = 0;
    for (let minute = 0; minute < 24 * 60; minute++) {
      await clock.advance(60_000);
      for (let n = 0; n < 50; n++) {
        try {
          const leave = circuit.enter('p');
          probes++;
          leave('failed');
        } catch {
          // kept away
        }
      }
    }
    expect(probes).toBeLessThanOrEqual(24 * 60);
    await clock.advance(60_000);
    // Back: of a thousand that wait, each round lets no more through than twice the round before.
    let width = 0;
    const widths: number[] = [];
    for (let round = 0; round < 6; round++) {
      const inside = [];
      for (let n = 0; n < 1_000; n++) {
        try {
          inside.push(circuit.enter('p'));
        } catch {
          break;
        }
      }
      inside.forEach((leave) => leave('alive'));
      expect(inside.length).toBeLessThanOrEqual(round === 0 ? 1 : Math.max(2, width * 2) + (width >= 16 ? 1_000 : 0));
      widths.push((width = inside.length));
    }
    expect(widths.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
  });

  it('goes back to its pause when the return fails', async () => {
    const { clock, circuit, fail, tryOnce } = breaker();
    fail(20);
    await clock.advance(5_000);
    tryOnce('alive');
    tryOnce('failed');
    expect(circuit.state).toBe('open');
  });

  it('never lets more than one through while it is not sure, whatever happens', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 20_000 }),
      verdicts: fc.array(fc.constantFrom<Verdict>('alive', 'failed', 'neutral'), { maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, circuit } = breaker();
        for (const { waitMs, verdicts } of steps) {
          await clock.advance(waitMs);
          const before = circuit.state;
          const inside: ((verdict: Verdict) => void)[] = [];
          verdicts.forEach(() => {
            try {
              inside.push(circuit.enter('p'));
            } catch {
              // kept away
            }
          });
          if (before === 'open') expect(inside).toHaveLength(0);
          if (before === 'half_open') expect(inside.length).toBeLessThanOrEqual(1);
          inside.forEach((leave, index) => leave(verdicts[index]!));
        }
      }),
      { numRuns: 300 },
    );
  });
});
