import { IntegrationError } from '../../errors';
import type { Provider } from '../contract';
import { ProviderRegistry } from './provider-registry';

const provider = (key: string, name: string): Provider => ({
  key,
  name,
  configured: true,
  apiBaseUrl: 'https://api.example.com/',
  auth: { parseTokenResponse: () => [], identify: () => Promise.reject(new Error('not asked')) },
  http: { endpoints: [], limits: {}, defaultLimits: [] },
  actions: [],
});

describe('ProviderRegistry', () => {
  it('gives what was registered, and lists by name', () => {
    const registry = new ProviderRegistry();
    registry.register(provider('zeta', 'Alpha'));
    registry.register(provider('alpha', 'Zeta'));
    expect(registry.get('zeta').name).toBe('Alpha');
    expect(registry.all().map(({ name }) => name)).toEqual(['Alpha', 'Zeta']);
  });

  it('answers an unknown key, and a name of Object.prototype, with provider_unknown', () => {
    const registry = new ProviderRegistry();
    for (const key of ['nobody', '__proto__', 'constructor']) {
      expect(() => registry.get(key)).toThrow(expect.objectContaining({ code: 'provider_unknown' } satisfies Partial<IntegrationError>));
      expect(registry.find(key)).toBeUndefined();
    }
  });

  it('refuses a key twice and a key that cannot stand in an address', () => {
    const registry = new ProviderRegistry();
    registry.register(provider('acme', 'Acme'));
    expect(() => registry.register(provider('acme', 'Other'))).toThrow('registered twice');
    expect(() => registry.register(provider('Acme/..', 'Other'))).toThrow('lower case');
  });
});
