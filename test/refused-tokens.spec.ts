import { SignJWT } from 'jose';
import { IntegrationError } from '../src/errors';
import { Problems } from '../src/http-api/problems/problems';
import { createLogger } from '../src/http-api/logging';
import { startTestApp, type TestApp } from './support/test-app';

const HOUR_S = 3_600;
const now = () => Math.floor(Date.now() / 1_000);

describe('a caller who is not let in', () => {
  let test: TestApp;
  const lines: string[] = [];
  beforeAll(async () => {
    test = await startTestApp({ sandbox: false, log: { write: (line: string) => void lines.push(line) } });
  });
  afterAll(() => test.close());

  const token = (claims: Record<string, unknown>, expiresAt: number, secret = test.settings.apiJwtSecret) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('u1')
      .setExpirationTime(expiresAt)
      .sign(new TextEncoder().encode(secret));

  it.each([
    ['without a token', () => undefined, /There is no Authorization header/],
    ['with something else than a token', () => 'Basic dTE6cHc=', /holds no bearer token/],
    ['with an ended token', async () => `Bearer ${await token({ tenant: 'acme' }, now() - HOUR_S)}`, /"exp"/],
    [
      'with a token of another secret',
      async () => `Bearer ${await token({ tenant: 'acme' }, now() + HOUR_S, 'x'.repeat(40))}`,
      /signature/,
    ],
    ['with a token that names no tenant', async () => `Bearer ${await token({}, now() + HOUR_S)}`, /"tenant"/],
    ['with a token of a year', async () => `Bearer ${await token({ tenant: 'acme' }, now() + 8_760 * HOUR_S)}`, /API_JWT_MAX_LIFETIME/],
  ])('%s reads why, and so does the log, once', async (_, authorization, why) => {
    const shown = await authorization();
    const answer = await fetch(`${test.url}/v1/connections`, { headers: shown === undefined ? {} : { authorization: shown } });
    const problem = (await answer.json()) as { requestId: string; detail: string; cause: string };
    expect([answer.status, problem.cause]).toEqual([401, expect.stringMatching(why)]);

    const logged = lines.filter((line) => line.includes(problem.requestId) && line.includes('request refused'));
    expect(logged.map((line) => (JSON.parse(line) as { cause: string }).cause)).toEqual([problem.cause]);
    if (shown !== undefined) expect(lines.join('')).not.toContain(shown.slice(shown.indexOf(' ') + 1));
  });
});

it('production tells the log, and no caller', () => {
  const lines: string[] = [];
  const logger = createLogger({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) });
  const cause = new Error('the claim exp is in the past');
  const refused = new IntegrationError('unauthorized', { cause });
  const tell = (production: boolean) =>
    new Problems({ production, publicUrl: 'https://x.example' }, logger).tell(refused, { id: 'r1', route: '/v1/connections' });

  expect(tell(false)).toHaveProperty('cause', cause.message);
  expect(JSON.stringify(tell(true))).not.toMatch(/exp|claim|cause/);
  expect(lines.filter((line) => line.includes(cause.message))).toHaveLength(2);
});
