import { SignJWT, type JWTPayload } from 'jose';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_ROUTES } from './lib/admin-paths';
import { atEnd } from '../faults/lib/clean-up';
import type { Attack } from './lib/attack';
import { startInstance } from './lib/instance';
import { judgeStart } from './lib/refused-start';
import { ask } from './lib/request';
import { Trials } from './lib/trials';

const ISSUER = 'https://app.example.com';
const AUDIENCE = 'trestle';
const METRICS_TOKEN = randomBytes(32).toString('hex');
const HOUR_S = 3_600;

const bound: Attack = {
  id: 'A49',
  expected: 'a token of another issuer, audience or type, of a long life, or from the future: 401',
  async run() {
    const trials = new Trials();
    const service = await startInstance({ API_JWT_ISSUER: ISSUER, API_JWT_AUDIENCE: AUDIENCE });
    atEnd(() => service.stop());
    const now = Math.floor(Date.now() / 1_000);
    const good = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', tenant: 'acme', iat: now, exp: now + HOUR_S };
    const status = async (payload: JWTPayload, typ?: string) => {
      const signing = new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...(typ !== undefined && { typ }) });
      const token = await signing.sign(Buffer.from(service.cluster.jwtSecret));
      return ask(service.url, '/v1/connections', { headers: { authorization: `Bearer ${token}` } });
    };
    trials.status('as it should be', await status(good), 200);
    trials.status('an access token by its type', await status(good, 'at+jwt'), 200);
    const bad: Readonly<Record<string, [JWTPayload, string?]>> = {
      'another issuer': [{ ...good, iss: 'https://app.example.com.evil.example' }],
      'no issuer': [{ ...good, iss: undefined }],
      'another audience': [{ ...good, aud: 'billing' }],
      'no audience': [{ ...good, aud: undefined }],
      'a life of a year': [{ ...good, exp: now + 365 * 24 * HOUR_S }],
      'a life of a year, its issue not told': [{ ...good, iat: undefined, exp: now + 365 * 24 * HOUR_S }],
      'from the future': [{ ...good, iat: now + HOUR_S, exp: now + 2 * HOUR_S }],
      'a logout token': [good, 'logout+jwt'],
      'a security event': [good, 'secevent+jwt'],
    };
    for (const [name, [payload, typ]] of Object.entries(bad)) trials.status(name, await status(payload, typ), 401);
    return trials.verdict();
  },
};

const metrics: Attack = {
  id: 'A55',
  expected: 'METRICS_TOKEN reads /metrics; anywhere else: 401',
  async run() {
    const trials = new Trials();
    const service = await startInstance({ METRICS_TOKEN });
    atEnd(() => service.stop());
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    trials.status('/metrics', await ask(service.url, '/metrics', { headers }), 200);
    trials.status('/metrics in the address', await ask(service.url, `/metrics?token=${METRICS_TOKEN}`), 401, 400);
    for (const path of [...ADMIN_ROUTES, '/v1/connections', '/v1/providers', '/settings/integrations', '/admin'])
      trials.status(path, await ask(service.url, path, { headers }), 401);
    return trials.verdict();
  },
};

const GOOD_SECRET = randomBytes(32).toString('hex');
const WEAK: Readonly<Record<string, { env: Readonly<Record<string, string>>; names: RegExp }>> = {
  'a public address without https': { env: { PUBLIC_URL: 'http://trestle.example.com' }, names: /PUBLIC_URL.*https/ },
  'a public address with a query': { env: { PUBLIC_URL: 'https://example.com/trestle?a=b' }, names: /PUBLIC_URL/ },
  'a secret of one letter': { env: { API_JWT_SECRET: 'x'.repeat(64) }, names: /API_JWT_SECRET.*random/ },
  'keys over http': {
    env: { API_JWKS_URL: 'http://app.example.com/jwks', API_JWT_ISSUER: ISSUER, API_JWT_AUDIENCE: AUDIENCE },
    names: /API_JWKS_URL.*https/,
  },
  'keys without issuer and audience': { env: { API_JWKS_URL: 'https://app.example.com/jwks' }, names: /API_JWT_ISSUER, API_JWT_AUDIENCE/ },
  'proxies that are everybody': { env: { TRUSTED_PROXIES: '0.0.0.0/0' }, names: /TRUSTED_PROXIES/ },
  'a database elsewhere without TLS': { env: { DATABASE_URL: 'postgres://t:p@db.example.com/t' }, names: /DATABASE_URL.*not encrypted/ },
  'an API of a provider without https': {
    env: { SLACK_API_BASE_URL: 'http://slack.example.com/api/' },
    names: /SLACK_API_BASE_URL.*https/,
  },
  'an environment of another name': { env: { NODE_ENV: 'prod' }, names: /NODE_ENV/ },
  'several at once': {
    env: { PUBLIC_URL: 'http://trestle.example.com', TRUSTED_PROXIES: '::/0', API_JWT_SECRET: 'y'.repeat(64) },
    names: /PUBLIC_URL[\s\S]*API_JWT_SECRET[\s\S]*TRUSTED_PROXIES/,
  },
};

const weak: Attack = {
  id: 'A57',
  expected: 'weak settings in production: it does not start, and lists all that is weak',
  boundS: 480,
  async run() {
    const trials = new Trials();
    const folder = await mkdtemp(join(tmpdir(), 'trestle-weak-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    for (const [name, { env, names }] of Object.entries(WEAK)) {
      const all = {
        NODE_ENV: 'production',
        DATA_DIR: join(folder, 'data'),
        PUBLIC_URL: 'https://trestle.example.com',
        ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        API_JWT_SECRET: GOOD_SECRET,
        PORT: '0',
        SANDBOX: 'off',
        ...env,
      };
      await judgeStart(trials, name, all, names);
    }
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [bound, metrics, weak];
