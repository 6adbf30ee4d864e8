import { BodyBudget, countedBody } from './body-budget';

const busy = expect.objectContaining({ code: 'busy', retryAfterMs: 1_000 }) as Error;

it('counts what has come of all bodies together, and gives it back', () => {
  const budget = new BodyBudget(100);
  const [first, second] = [budget.open(60), budget.open(60)];
  first.add(60);
  expect(() => second.add(60)).toThrow(busy);
  expect(() => budget.open(41)).toThrow(busy);
  expect(budget.heldBytes).toBe(60);
  first.release();
  first.release();
  second.add(60);
  second.release();
  expect(budget.heldBytes).toBe(0);
});

it('is not used up by lengths that are only stated', () => {
  const budget = new BodyBudget(100);
  for (let i = 0; i < 50; i++) budget.open(100);
  expect(() => budget.open(100)).not.toThrow();
});

it('ends a body whose length nobody stated where there is no more room', async () => {
  const counted = countedBody(new BodyBudget(10).open(0));
  counted.resume().write(Buffer.alloc(8));
  const failed = new Promise((resolve) => counted.on('error', resolve));
  counted.write(Buffer.alloc(8));
  expect(await failed).toEqual(busy);
});
