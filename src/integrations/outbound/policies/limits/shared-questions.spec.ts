import { VirtualClock } from '../../testing/virtual-clock';
import type { Bucket } from './gcra';
import type { LimitStore, Take } from './limit-store';
import { MemoryLimitStore } from './memory-limit-store';
import { SharedQuestions } from './shared-questions';

const bucket = (facts: Partial<Bucket> = {}): Bucket => ({ key: 'p|all|a', intervalMs: 100, burst: 10, cost: 1, closes: true, ...facts });
const WAY_MS = 20;

/** The buckets of a process, as far away as those of a server. */
function farAway() {
  const clock = new VirtualClock();
  const near = new MemoryLimitStore(clock);
  const questions: number[] = [];
  let broken = false;
  const store: LimitStore = {
    async take(buckets, most = 1) {
      questions.push(most);
      await clock.sleep(WAY_MS);
      if (broken) throw new Error('gone');
      return near.take(buckets, most);
    },
    close: (buckets, ms) => near.close(buckets, ms),
  };
  return { clock, questions, shared: new SharedQuestions(store), breakDown: () => (broken = true) };
}

describe('questions to a store that is far away', () => {
  it('asks at once for who is alone', async () => {
    const { clock, questions, shared } = farAway();
    const first = shared.take([bucket()]);
    await clock.advance(WAY_MS);
    expect((await first).taken).toBe(1);
    const second = shared.take([bucket()]);
    await clock.advance(WAY_MS);
    expect((await second).taken).toBe(1);
    expect(questions).toEqual([1, 1]);
  });

  it('gathers who comes meanwhile, serves them in their order, and gives no more than there is', async () => {
    const { clock, questions, shared } = farAway();
    const answers: { name: number; take: Take }[] = [];
    for (let name = 0; name < 15; name++)
      void Promise.resolve(shared.take([bucket({ intervalMs: 1e6 })])).then((take) => answers.push({ name, take }));
    await clock.advance(10 * WAY_MS);
    expect(answers.map(({ name }) => name)).toEqual(Array.from({ length: 15 }, (_, name) => name));
    expect(answers.filter(({ take }) => take.taken === 1).map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(answers.slice(10).every(({ take }) => take.waitMs > 0 && take.blocked[0] === 'p|all|a')).toBe(true);
    expect(questions).toEqual([1, 14, 5]);
  });

  it('keeps apart who needs something else', async () => {
    const { clock, questions, shared } = farAway();
    const takes = ['a', 'a', 'b', 'b'].map((account) => shared.take([bucket({ key: `p|all|${account}` })]));
    await clock.advance(2 * WAY_MS);
    for (const take of takes) expect((await take).taken).toBe(1);
    expect(questions).toEqual([1, 1, 1, 1]);
  });

  it('tells everybody of a store that fails, and asks it again for the next', async () => {
    const { clock, questions, shared, breakDown } = farAway();
    breakDown();
    const takes = Promise.allSettled([1, 2, 3].map(() => Promise.resolve(shared.take([bucket()]))));
    await clock.advance(3 * WAY_MS);
    expect((await takes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    void Promise.resolve(shared.take([bucket()])).catch(() => undefined);
    expect(questions).toEqual([1, 2, 1]);
  });
});
