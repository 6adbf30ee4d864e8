import type { PlainProvider } from '../../integrations';

export const coinbase: PlainProvider = {
  key: 'coinbase',
  name: 'Coinbase',
  docs: 'https://docs.cdp.coinbase.com/coinbase-app/oauth2-integration/overview',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.coinbase.com/v2/',
  oauth2: {
    authorizeUrl: 'https://www.coinbase.com/oauth/authorize',
    tokenUrl: 'https://www.coinbase.com/oauth/token',
    scopes: ['wallet:user:read', 'offline_access'],
    refresh: true,
    revokeUrl: 'https://api.coinbase.com/oauth/revoke',
    revoke: { as: 'token', body: { token: '{accessToken}' } },
  },
  account: { path: 'user', id: '/data/id', name: ['/data/name', '/data/id'] },
};
