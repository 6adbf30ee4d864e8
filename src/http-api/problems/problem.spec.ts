import { NotFoundException } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { problemOf } from './problem';

describe('problemOf', () => {
  it('keeps the words, the extra facts and the time to wait of a known error', () => {
    const error = new IntegrationError('card_declined', { extra: { declineCode: 'lost_card' }, retryAfterMs: 1_200 });
    expect(problemOf(error, 'r1', 'https://x.example')).toEqual({
      type: 'https://x.example/errors#card_declined',
      title: 'Card declined',
      status: 402,
      code: 'card_declined',
      detail: 'Your card was declined.',
      nextStep: 'Use another card, or ask the bank.',
      retryable: false,
      retryAfter: 2,
      requestId: 'r1',
      declineCode: 'lost_card',
    });
  });

  it('finds the error that an SDK wrapped', () => {
    const wrapped = Object.assign(new Error('An API error occurred'), { original: new IntegrationError('needs_reauth') });
    expect(problemOf(wrapped, 'r1').code).toBe('needs_reauth');
  });

  it('never lets extra facts pass for the frame', () => {
    expect(problemOf(new IntegrationError('not_found', { extra: { status: 200, code: 'fine' } }), 'r1')).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });

  it('puts what the framework throws into our words', () => {
    expect(problemOf(new NotFoundException('Cannot GET /x'), 'r1')).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: 'There is nothing at this address.',
    });
  });

  it.each([
    new Error('secret'),
    Object.assign(new Error('secret'), { statusCode: 404, code: 'resource_missing' }),
    'secret',
    null,
    undefined,
    { message: 'secret' },
  ])('says nothing of what it does not know', (thrown) => {
    expect(problemOf(thrown, 'r1')).toMatchObject({ status: 500, code: 'internal_error', detail: 'Something went wrong on our side.' });
  });
});
