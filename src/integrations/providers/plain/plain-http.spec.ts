import { matchEndpoint } from '../../outbound';
import type { PlainProvider } from './plain-provider';
import { plainHttp } from './plain-http';

const declaration: PlainProvider = {
  key: 'forge',
  name: 'Forge',
  docs: 'https://forge.example/docs',
  checked: { at: '2026-11-28', against: 'nothing: made up' },
  apiBaseUrl: 'https://api.forge.example/v1/',
  oauth2: {
    authorizeUrl: 'https://forge.example/authorize',
    tokenUrl: 'https://api.forge.example/v1/oauth/token',
    revokeUrl: 'https://forge.example/revoke',
    scopes: [],
  },
  account: { path: 'me', id: '/id' },
  limits: { search: { perSecond: 1, burst: 1, per: 'account' } },
  endpoints: [
    { path: '/v1/applications/:client/token', proxy: 'never' },
    { method: 'POST', path: '/v1/search', limits: ['search'] },
  ],
};
const own = { webhookSecrets: [] };

describe('the endpoints of a plain provider', () => {
  it.each([
    ['where it is declared', own, '/v1'],
    ['below the path of an installation of one’s own', { ...own, apiBaseUrl: 'https://forge.acme.example/api/v1/' }, '/api/v1'],
    ['at another address without that path', { ...own, apiBaseUrl: 'http://127.0.0.1:4000/' }, ''],
  ])('are known %s', (_, settings, base) => {
    const http = plainHttp(declaration, settings, {});
    const factsOf = (method: string, path: string) => matchEndpoint(http, method, base + path).facts;
    expect(factsOf('DELETE', '/applications/abc/token')).toMatchObject({ proxy: 'never' });
    expect(factsOf('POST', '/oauth/token')).toMatchObject({ proxy: 'never' });
    expect(factsOf('POST', '/search')).toMatchObject({ limits: ['search'] });
    expect(factsOf('GET', '/me')).toBeDefined();
    expect(factsOf('GET', '/others')).toBeUndefined();
  });

  it('are where a setting says that tokens are made and ended', () => {
    const http = plainHttp(
      declaration,
      { ...own, tokenUrl: 'https://api.forge.example/v1/tokens', revokeUrl: 'https://api.forge.example/v1/ended' },
      {},
    );
    for (const path of ['/v1/tokens', '/v1/ended', '/v1/oauth/token'])
      expect(matchEndpoint(http, 'POST', path).facts).toMatchObject({ proxy: 'never' });
  });
});
