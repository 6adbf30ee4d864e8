import type { PlainProvider } from '../../integrations';

export const x: PlainProvider = {
  key: 'x',
  name: 'X',
  docs: 'https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code',
  checked: { at: '2026-11-27', against: 'arctic, public source code' },
  apiBaseUrl: 'https://api.x.com/2/',
  oauth2: {
    authorizeUrl: 'https://x.com/i/oauth2/authorize',
    tokenUrl: 'https://api.x.com/2/oauth2/token',
    scopes: ['users.read', 'tweet.read', 'offline.access'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
    revokeUrl: 'https://api.x.com/2/oauth2/revoke',
  },
  account: { path: 'users/me', id: '/data/id', name: '/data/username' },
};
