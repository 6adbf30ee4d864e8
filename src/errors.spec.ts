import { IntegrationError } from './errors';

describe('a provider’s code in an error', () => {
  const codeOf = (providerCode: string) => new IntegrationError('connect_failed', { providerCode }).providerCode;

  it.each(['invalid_grant', 'rateLimitExceeded', 'card_declined', 'account.application.deauthorized', 'FAILED_PRECONDITION', '429'])(
    'keeps the word %s',
    (code) => expect(codeOf(code)).toBe(code),
  );

  // It goes into logs, rows and alerts: a provider that repeats what it was sent must not bring a secret there.
  it.each([
    'xoxe-1-something',
    'xoxb-1',
    'xoxe.xoxp-1-Mi0y',
    'sk_live_abc',
    'rk_test_abc',
    'whsec_abc',
    'ya29.a0Af',
    'GOCSPX-abc',
    'eyJhbGciOiJIUzI1NiJ9.e30.x',
    '1//0abc',
    'Invalid API Key provided: sk_live_abc',
    'two\nlines',
    'a'.repeat(65),
    '',
  ])('leaves %j out', (code) => expect(codeOf(code)).toBeUndefined());
});
