import type { PlainProvider } from '../../integrations';

export const tumblr: PlainProvider = {
  key: 'tumblr',
  name: 'Tumblr',
  docs: 'https://www.tumblr.com/docs/en/api/v2#oauth2-authorization',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://api.tumblr.com/v2/',
  oauth2: {
    authorizeUrl: 'https://www.tumblr.com/oauth2/authorize',
    tokenUrl: 'https://api.tumblr.com/v2/oauth2/token',
    scopes: ['basic', 'offline_access'],
    refresh: true,
  },
  account: { path: 'user/info', id: '/response/user/name', name: '/response/user/name' },
};
