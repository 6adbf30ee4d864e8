import { z } from 'zod';
import { loadSettings, SettingsError } from './env';
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
const OWN = { DATA_DIR: '/nonexistent', ENCRYPTION_KEYS: `k1:${Buffer.from('a key of 32 bytes for this test.').toString('base64')}` };
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

  it('tells no value of a variable', () => {
    expect(faultsOf({ ...given, ACME_ID: 'oops-a-secret', PORT: 'another-secret' }).join(' ')).not.toMatch(/oops|another/);
  });
});
