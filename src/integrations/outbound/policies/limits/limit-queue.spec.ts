import fc from 'fast-check';
import { VirtualClock } from '../../testing/virtual-clock';
import type { Bucket } from './gcra';
import { LimitQueue, type LimitQueueOptions } from './limit-queue';
import { MemoryLimitStore } from './memory-limit-store';

const bucket = (facts: Partial<Bucket> = {}): Bucket => ({ key: 'p|all|a', intervalMs: 100, burst: 1, cost: 1, closes: true, ...facts });

function queue(options: Partial<LimitQueueOptions> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryLimitStore(clock);
  const waiting = new LimitQueue(store, clock, options);
  const startedAt = clock.now();
  const granted: { name: unknown; at: number }[] = [];
  const ask = (
    buckets: readonly Bucket[],
    {
      name,
      account = 'a',
      deadlineMs = 1e9,
      signal = new AbortController().signal,
    }: { name?: unknown; account?: string; deadlineMs?: number; signal?: AbortSignal } = {},
  ) => {
    const entered = async () => {
      await waiting.enter({ provider: 'p', account, buckets, signal, deadlineAt: clock.now() + deadlineMs });
      granted.push({ name, at: clock.now() - startedAt });
    };
    const outcome = entered();
    outcome.catch(() => undefined);
    return outcome;
  };
  return { clock, store, waiting, granted, ask, names: () => granted.map(({ name }) => name) };
}

describe('waiting for a limit', () => {
  it('lets the burst go at once and the rest at the rate, in order', async () => {
    const { clock, ask, granted } = queue();
    for (let n = 0; n < 6; n++) void ask([bucket({ burst: 3 })], { name: n });
    await clock.advance(1_000);
    expect(granted).toEqual([0, 0, 0, 100, 200, 300].map((at, name) => ({ name, at })));
  });

  it('lets pass by who needs only what is free, and keeps the order where a bucket is shared', async () => {
    const { clock, ask, names } = queue();
    const channel = (name: string) => bucket({ key: `p|channel|${name}`, intervalMs: 1_000 });
    const account = bucket({ intervalMs: 10, burst: 2 });
    void ask([account, channel('x')], { name: 'x1' });
    void ask([account, channel('x')], { name: 'x2' });
    void ask([account, channel('x')], { name: 'x3' });
    void ask([account, channel('y')], { name: 'y1' });
    await clock.advance(100);
    expect(names()).toEqual(['x1', 'y1']);
    await clock.advance(2_000);
    expect(names()).toEqual(['x1', 'y1', 'x2', 'x3']);
  });

  it('asks the store once for all who stand together, and gives each unit once though some have left', async () => {
    const { clock, ask, granted, store } = queue();
    const leaving = new AbortController();
    const gate = bucket({ key: 'p|gate|a', intervalMs: 0 });
    store.close([gate], 1_000);
    for (let n = 0; n < 4; n++) void ask([gate, bucket({ burst: 3 })], { name: n, ...(n === 1 && { signal: leaving.signal }) });
    const asked = jest.spyOn(store, 'take');
    await clock.advance(900);
    leaving.abort();
    await clock.advance(100);
    expect(granted.map(({ name }) => name)).toEqual([0, 2, 3]);
    expect(asked.mock.calls.map(([, most]) => most)).toEqual([3, 3]);
  });

  it('does not let small calls starve a large one', async () => {
    const { clock, ask, names } = queue();
    void ask([bucket({ burst: 10, cost: 10 })], { name: 'first' });
    void ask([bucket({ burst: 10, cost: 10 })], { name: 'large' });
    for (let n = 0; n < 5; n++) void ask([bucket({ burst: 10 })], { name: `small ${n}` });
    await clock.advance(1_000);
    expect(names()).toEqual(['first', 'large']);
  });

  it('takes of all buckets or of none', async () => {
    const { clock, ask, names, store } = queue();
    const narrow = bucket({ key: 'p|narrow|a', intervalMs: 10_000 });
    void ask([bucket({ burst: 2 }), narrow], { name: 1 });
    await expect(ask([bucket({ burst: 2 }), narrow], { deadlineMs: 50 })).rejects.toMatchObject({ code: 'provider_rate_limited' });
    expect(store.take([bucket({ burst: 2 })]).waitMs).toBe(0);
    await clock.advance(0);
    expect(names()).toEqual([1]);
  });

  it('says no at once where the wait cannot fit, counting those ahead', async () => {
    const { ask, waiting } = queue();
    for (let n = 0; n < 4; n++) void ask([bucket()]);
    await expect(ask([bucket()], { deadlineMs: 350 })).rejects.toMatchObject({
      code: 'provider_rate_limited',
      notExecuted: true,
      retryAfterMs: 400,
    });
    expect(waiting.length).toBe(3);
  });

  it('ends a wait with the signal, and the next in line moves up', async () => {
    const { clock, ask, names } = queue();
    const stop = new AbortController();
    void ask([bucket()], { name: 1 });
    const given = ask([bucket()], { name: 2, signal: stop.signal });
    void ask([bucket()], { name: 3 });
    await clock.advance(10);
    stop.abort();
    await expect(given).rejects.toMatchObject({ code: 'provider_rate_limited', notExecuted: true });
    await clock.advance(100);
    expect(names()).toEqual([1, 3]);
  });

  it('is bounded for each account: one account’s flood leaves the others’ places', async () => {
    const { clock, ask } = queue({ maxWaitingPerAccount: 3 });
    for (let n = 0; n < 4; n++) void ask([bucket()]);
    await clock.advance(0);
    await expect(ask([bucket()])).rejects.toMatchObject({ code: 'busy', notExecuted: true });
    void ask([bucket({ key: 'p|all|b' })], { account: 'b' });
  });

  it('keeps everybody out while a bucket is closed, and then lets them in at the rate', async () => {
    const { clock, store, ask, granted } = queue();
    store.close([bucket({ burst: 5 })], 3_000);
    for (let n = 0; n < 4; n++) void ask([bucket({ burst: 5 })], { name: n });
    await clock.advance(5_000);
    expect(granted.map(({ at }) => at)).toEqual([3_000, 3_100, 3_200, 3_300]);
  });

  it('tells those who wait already that a bucket was closed for longer than they have', async () => {
    const { clock, store, ask } = queue();
    void ask([bucket()]);
    const waits = ask([bucket()], { deadlineMs: 1_000 });
    await clock.advance(10);
    store.close([bucket()], 60_000);
    await clock.advance(200);
    await expect(waits).rejects.toMatchObject({ code: 'provider_rate_limited' });
  });
});

const limits = fc.record({ intervalMs: fc.integer({ min: 2, max: 200 }), burst: fc.integer({ min: 1, max: 20 }) });
const arrivals = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 150 }), cost: fc.integer({ min: 1, max: 5 }) }), {
  minLength: 1,
  maxLength: 60,
});

describe('for any limit and any arrivals', () => {
  it('is never above the limit in any window, never idle with work waiting, and in order', async () => {
    await fc.assert(
      fc.asyncProperty(limits, arrivals, async (facts, calls) => {
        const { clock, ask, granted } = queue();
        const reference: number[] = [];
        let now = 0;
        let tat = 0;
        for (const { afterMs, cost } of calls) {
          await clock.advance(afterMs);
          now += afterMs;
          void ask([bucket({ ...facts, cost })], { name: reference.length });
          // The earliest moment at which this call can go, after all before it.
          const units = Math.min(cost, facts.burst) * facts.intervalMs;
          const at = Math.max(now, reference.at(-1) ?? 0, tat + units - facts.burst * facts.intervalMs);
          tat = Math.max(tat, at) + units;
          reference.push(at);
        }
        await clock.advance(200 * 5 * 61);
        expect(granted.map(({ name }) => name)).toEqual(reference.map((_, index) => index));
        granted.forEach(({ at }, index) => {
          expect(at).toBeGreaterThanOrEqual(reference[index]! - 1e-6);
          expect(at).toBeLessThanOrEqual(reference[index]! + 1 + 1e-6);
        });
        for (let from = 0; from < granted.length; from++) {
          let units = 0;
          for (let to = from; to < granted.length; to++) {
            units += Math.min(calls[to]!.cost, facts.burst);
            const windowMs = granted[to]!.at - granted[from]!.at;
            expect(units).toBeLessThanOrEqual(facts.burst + windowMs / facts.intervalMs + 1e-6);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nobody waiting whose buckets all have room', async () => {
    const asked = fc.array(fc.record({ channel: fc.constantFrom('x', 'y', 'z'), afterMs: fc.integer({ min: 0, max: 50 }) }), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(asked, async (calls) => {
        const { clock, ask, granted } = queue();
        for (const { channel, afterMs } of calls) {
          await clock.advance(afterMs);
          void ask([bucket({ intervalMs: 20, burst: 3 }), bucket({ key: `p|channel|${channel}`, intervalMs: 130 })], { name: channel });
        }
        await clock.advance(60_000);
        expect(granted).toHaveLength(calls.length);
        for (const channel of ['x', 'y', 'z']) {
          const times = granted.filter(({ name }) => name === channel).map(({ at }) => at);
          times.slice(1).forEach((at, index) => expect(at - times[index]!).toBeGreaterThanOrEqual(130 - 1e-6));
        }
      }),
      { numRuns: 200 },
    );
  });
});
