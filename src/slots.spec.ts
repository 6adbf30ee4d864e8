import { Slots } from './slots';

/** Pieces of work that end when the test says so. */
function pieces(slots: Slots) {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const outcome = (name: string, rank?: number) =>
    slots
      .run(() => {
        begun.push(name);
        return new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
      }, rank)
      .then(
        () => `${name} done`,
        (error: Error) => `${name}: ${error.message}`,
      );
  return {
    begun,
    outcome,
    end: (name: string) => ends.get(name)?.resolve(),
    fail: (name: string) => ends.get(name)?.reject(new Error('no')),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('runs as many as it has slots, and the others as these end, one that fails included', async () => {
  const slots = new Slots(2);
  const { begun, outcome, end, fail } = pieces(slots);
  const outcomes = ['a', 'b', 'c', 'd'].map((name) => outcome(name));
  await turn();
  expect([begun, slots.waiting]).toEqual([['a', 'b'], 2]);
  fail('a');
  await turn();
  expect([begun, slots.waiting]).toEqual([['a', 'b', 'c'], 1]);
  for (const name of ['b', 'c']) end(name);
  await turn();
  end('d');
  expect(await Promise.all(outcomes)).toEqual(['a: no', 'b done', 'c done', 'd done']);
  const after = outcome('e');
  const beside = outcome('f');
  await turn();
  expect(begun.slice(4)).toEqual(['e', 'f']); // both slots are free again
  for (const name of ['e', 'f']) end(name);
  await Promise.all([after, beside]);
});

it('takes the smaller rank first, and of the same rank who came first', async () => {
  const slots = new Slots(1);
  const { begun, outcome, end } = pieces(slots);
  const outcomes = [outcome('first'), outcome('c', 2), outcome('a', 0), outcome('d', 2), outcome('b', 1)];
  for (const name of ['first', 'a', 'b', 'c', 'd']) {
    await turn();
    end(name);
  }
  await Promise.all(outcomes);
  expect(begun).toEqual(['first', 'a', 'b', 'c', 'd']);
});
