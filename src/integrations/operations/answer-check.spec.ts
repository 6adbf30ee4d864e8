import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { checkedAnswer, undeclaredAnswers } from './answer-check';

const operation = { provider: 'acme', name: 'things.make', output: z.object({ id: z.string(), owner: z.object({ id: z.string() }) }) };
const counted = async () =>
  (await undeclaredAnswers.get()).values.find(({ labels }) => labels.operation === 'acme.things.make')?.value ?? 0;

describe('the answer of an operation', () => {
  it('that is as declared is neither counted nor changed', async () => {
    const answer = { id: 't1', owner: { id: 'u1' }, more: true };
    expect(checkedAnswer(operation, answer)).toBe(answer);
    expect(await counted()).toBe(0);
  });

  it('that is not as declared goes out, is counted, and the log names the place and not what stands there', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const answer = { id: 't1', owner: { id: 4711 } };
    expect(checkedAnswer(operation, answer)).toBe(answer);
    expect(await counted()).toBe(1);
    expect(JSON.stringify(logged.mock.calls)).toContain('owner.id');
    expect(JSON.stringify(logged.mock.calls)).not.toContain('4711');
    logged.mockRestore();
  });
});
