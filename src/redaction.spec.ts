import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { createLogger } from './http-api/logging';
import { redacted, rememberSettings, rememberToken, secretsOf } from './redaction';

/** Made in pieces: whole ones would be taken for true ones by those who look through repositories. */
const SHAPED = [
  `xoxb-${'1234567890'}-abcdefghij`,
  `xoxe.xoxp-${'1-Mi0yLTEyMzQ1Njc4'}`,
  `sk_test_${'51Habcdefghijkl'}`,
  `whsec_${'c2VjcmV0c2VjcmV0'}`,
  `ya29.${'a0AfH6SMBx1234567'}`,
  `1//${'0gabcdefghijklmnopqrstuv'}`,
  `ghp_${'abcdefghijklmnop1234'}`,
  `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl`,
];

function written(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let lines = '';
  const destination = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines += chunk.toString();
      done();
    },
  });
  write(createLogger({ logLevel: 'trace' }, destination));
  for (const line of lines.trim().split('\n')) JSON.parse(line);
  return lines;
}

describe('a secret in the log', () => {
  const own = randomBytes(24).toString('hex');
  const odd = `a"b\\c/${randomBytes(8).toString('base64')}`;
  const token = `made-up.${randomBytes(20).toString('hex')}`;
  beforeAll(() => {
    rememberSettings([own, odd, undefined, 'short']);
    rememberToken(token);
  });

  it.each([...SHAPED.map((secret) => [secret.slice(0, 6), secret]), ['settings', own], ['odd', odd], ['in use', token]])(
    'is taken out wherever it stands: %s',
    (_, secret) => {
      const cause = new Error(`refused ${secret}`, { cause: new Error(`inner ${secret}`) });
      const lines = written((logger) => {
        logger.info({ a: { b: { c: { d: [{ e: [secret, `with ${secret} in it`] }] } } } }, `said ${secret}`);
        logger.warn({ err: new Error('failed', { cause }) });
        logger.error(new Error(`thrown with ${secret}`));
        logger.info({ url: `https://x.example/?q=${encodeURIComponent(secret)}` });
      });
      expect(lines).not.toContain(secret);
      expect(lines).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(lines).not.toContain(encodeURIComponent(secret));
      expect(lines).toContain('[redacted]');
    },
  );

  it('is taken out by its name as well, at any depth', () => {
    const lines = written((logger) =>
      logger.info({ a: [{ b: { c: { accessToken: 'plain', client_secret: 'p"x', Authorization: 'z z' } } }] }, 'x'),
    );
    expect(lines).not.toMatch(/plain|p\\"x|z z/);
  });

  it('is not seen in words, ids and addresses', () => {
    const harmless =
      'Basic information about a skeleton: sk is short, token expired, GET /v1/connections/0198c2f0-aaaa-7bbb-8ccc-1234567890ab/slack?limit=5 https://x.example:8080/a Bearer tokens';
    expect(redacted(harmless)).toBe(harmless);
  });

  it('is known from the settings', () => {
    const key = randomBytes(32).toString('base64');
    expect(secretsOf({ ENCRYPTION_KEYS: `k1:${key}`, ACME_WEBHOOK_SECRET: 'one-secret,two-secret', PORT: '1' })).toEqual([
      key,
      'one-secret',
      'two-secret',
    ]);
  });

  it('takes the password out of an address', () => {
    expect(redacted('postgres://trestle:hunter2hunter@db:5432/x')).toBe('postgres://trestle:[redacted]@db:5432/x');
  });
});
