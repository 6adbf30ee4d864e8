import type { PlainProvider } from '../../integrations';

export const reddit: PlainProvider = {
  key: 'reddit',
  name: 'Reddit',
  docs: 'https://github.com/reddit-archive/reddit/wiki/OAuth2',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://oauth.reddit.com/',
  oauth2: {
    authorizeUrl: 'https://www.reddit.com/api/v1/authorize',
    tokenUrl: 'https://www.reddit.com/api/v1/access_token',
    scopes: ['identity', 'read'],
    refresh: true,
    clientAuth: 'basic',
    authorizeParams: { duration: 'permanent' },
  },
  account: { path: 'api/v1/me', id: '/id', name: '/name' },
  headers: { 'user-agent': 'trestle/1.0' },
};
