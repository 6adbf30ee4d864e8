import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadSettings } from './env';
import { SettingsError } from './settings-error';
import { addressVariable, askForBoth, declareProviderSettings, providerSettings, secretsVariable } from './provider-settings';

const acme = declareProviderSettings({
  key: 'acme',
  variables: {
    ACME_ID: z.string().startsWith('a_', 'must begin with a_').optional(),
    ACME_SECRET: z.string().optional(),
    ACME_HOOK_SECRET: secretsVariable(),
    ACME_API_BASE_URL: addressVariable(),
  },
  read(values, fault) {
    askForBoth(values, ['ACME_ID', 'ACME_SECRET'], 'both stand on its page', fault);
    const { ACME_ID: clientId, ACME_SECRET: clientSecret, ACME_HOOK_SECRET: webhookSecrets, ACME_API_BASE_URL: apiBaseUrl } = values;
    return { clientId, clientSecret, webhookSecrets, apiBaseUrl, region: 'eu' };
  },
});
const OWN = {
  DATA_DIR: join(tmpdir(), 'trestle-nonexistent'),
  ENCRYPTION_KEYS: `k1:${Buffer.from('a key of 32 bytes for this test.').toString('base64')}`,
};
const given = { ...OWN, API_JWT_SECRET: 'x'.repeat(32) };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadSettings(env, [acme]);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('hands each provider what it declared, in its own type', () => {
    const settings = loadSettings({ ...given, ACME_ID: 'a_1', ACME_SECRET: 's', ACME_HOOK_SECRET: 'one, two' }, [acme]);
    const own = providerSettings(settings, acme);
    expect(own).toMatchObject({ clientId: 'a_1', clientSecret: 's', webhookSecrets: ['one', 'two'], region: 'eu' });
    expect(settings.useSandbox).toBe(false);
    expect(loadSettings(given, [acme]).useSandbox).toBe(true);
  });

  it('gives the settings of an empty environment where a process read none of the provider', () => {
    expect(providerSettings(loadSettings(given, []), acme)).toMatchObject({ webhookSecrets: [], region: 'eu' });
  });

  it('lists the faults of the service and of its providers together, each with the name of its variable', () => {
    const faults = faultsOf({ ...given, PORT: 'x', ACME_SECRET: 's', ACME_API_BASE_URL: 'ftp://x', ACME_ID: 'b_1' });
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual(['ACME_API_BASE_URL', 'ACME_ID', 'PORT']);
    expect(faultsOf({ ...given, ACME_ID: 'a_1' })).toEqual([
      'ACME_ID: set without its secret; set ACME_SECRET too (both stand on its page)',
    ]);
  });

  it('gives a process a role only where others can have the other one', () => {
    const server = { ...given, DATABASE_URL: 'postgres://localhost/trestle' };
    const rolesOf = (env: Record<string, string>) => {
      const { serves, workers } = loadSettings(env, []);
      return [serves, workers];
    };
    expect([rolesOf(given), rolesOf({ ...server, ROLE: 'api' }), rolesOf({ ...server, ROLE: 'worker' })]).toEqual([
      [true, true],
      [true, false],
      [false, true],
    ]);
    expect(faultsOf({ ...given, ROLE: 'api' })).toEqual([
      expect.stringMatching(/^ROLE: the embedded database serves one process.*ROLE=api/),
    ]);
    expect(faultsOf({ ...given, ROLE: 'worker' })).toEqual([expect.stringMatching(/^ROLE: the embedded/)]);
    expect(faultsOf({ ...server, ROLE: 'worker', WORKERS: 'false' })).toEqual([expect.stringMatching(/^WORKERS: /)]);
    expect(faultsOf({ ...given, DATABASE_URL: 'postgres://ada@/shop?host=/run/postgresql' })).toEqual([]);
    expect(faultsOf({ ...server, ROLE: 'web' })).toEqual(['ROLE: must be all, api or worker']);
  });

  it('tells no value of a variable', () => {
    expect(faultsOf({ ...given, ACME_ID: 'oops-a-secret', PORT: 'another-secret' }).join(' ')).not.toMatch(/oops|another/);
  });
});

describe('in production', () => {
  const random = 'f3a91c07be5d48260f3a91c07be5d48260f3a91c07be5d4826';
  const good = { ...OWN, NODE_ENV: 'production', PUBLIC_URL: 'https://integrations.example.com', API_JWT_SECRET: random };
  const namesOf = (more: Record<string, string>) => faultsOf({ ...good, ...more }).map((fault) => fault.split(':')[0]);

  it('takes good settings', () => expect(faultsOf(good)).toEqual([]));

  it.each<[string, Record<string, string>, string]>([
    ['no public address', { PUBLIC_URL: '' }, 'PUBLIC_URL'],
    ['a public address without https', { PUBLIC_URL: 'http://integrations.example.com' }, 'PUBLIC_URL'],
    ['a public address with a query', { PUBLIC_URL: 'https://example.com/integrations?a=b' }, 'PUBLIC_URL'],
    ['a public address with an odd path', { PUBLIC_URL: 'https://example.com/our integrations' }, 'PUBLIC_URL'],
    ['a secret of one letter', { API_JWT_SECRET: 'x'.repeat(64) }, 'API_JWT_SECRET'],
    ['keys over http', { API_JWKS_URL: 'http://b.example.com/jwks', API_JWT_ISSUER: 'b', API_JWT_AUDIENCE: 't' }, 'API_JWKS_URL'],
    ['keys without issuer and audience', { API_JWKS_URL: 'https://b.example.com/jwks' }, 'API_JWT_ISSUER, API_JWT_AUDIENCE'],
    ['a metrics token of one letter', { METRICS_TOKEN: 'm'.repeat(40) }, 'METRICS_TOKEN'],
    ['proxies that are everybody', { TRUSTED_PROXIES: '10.0.0.0/8, 0.0.0.0/0' }, 'TRUSTED_PROXIES'],
    ['proxies that are everybody over IPv6', { TRUSTED_PROXIES: '::/0' }, 'TRUSTED_PROXIES'],
    ['a database elsewhere without TLS', { DATABASE_URL: 'postgres://t:p@db.example.com/t' }, 'DATABASE_URL'],
    [
      'migrations elsewhere without TLS',
      { DATABASE_URL: 'postgres://t:p@127.0.0.1/t', MIGRATION_DATABASE_URL: 'postgres://t:p@db.example.com/t' },
      'MIGRATION_DATABASE_URL',
    ],
    ["a provider's address without https", { ACME_API_BASE_URL: 'http://api.acme.example' }, 'ACME_API_BASE_URL'],
    ['another environment', { NODE_ENV: 'prod' }, 'NODE_ENV'],
  ])('refuses %s', (_, env, name) => expect(namesOf(env)).toEqual([name]));

  it.each<[string, Record<string, string>]>([
    ['a database elsewhere with TLS', { DATABASE_URL: 'postgres://t:p@db.example.com/t?sslmode=verify-full' }],
    ['a database elsewhere whose network is protected', { DATABASE_URL: 'postgres://t:p@db.example.com/t', DATABASE_TLS: 'off' }],
    ['a public address with a path', { PUBLIC_URL: 'https://example.com/our/integrations/' }],
    ['a database on this host', { DATABASE_URL: 'postgres://t:p@127.0.0.1/t' }],
    ['a network of proxies', { TRUSTED_PROXIES: '10.0.0.0/8' }],
    ['keys with issuer and audience', { API_JWKS_URL: 'https://b.example.com/jwks', API_JWT_ISSUER: 'b', API_JWT_AUDIENCE: 't' }],
  ])('takes %s', (_, env) => expect(namesOf(env)).toEqual([]));

  it('lists all that is weak at once', () => {
    expect(namesOf({ PUBLIC_URL: 'http://x.example.com', API_JWT_SECRET: 'y'.repeat(40), TRUSTED_PROXIES: '0.0.0.0/0' }).sort()).toEqual([
      'API_JWT_SECRET',
      'PUBLIC_URL',
      'TRUSTED_PROXIES',
    ]);
  });
});
