import type { PlainProvider } from '../../integrations';

export const deviantart: PlainProvider = {
  key: 'deviantart',
  name: 'DeviantArt',
  docs: 'https://www.deviantart.com/developers/authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://www.deviantart.com/api/v1/oauth2/',
  oauth2: {
    authorizeUrl: 'https://www.deviantart.com/oauth2/authorize',
    tokenUrl: 'https://www.deviantart.com/oauth2/token',
    scopes: ['user', 'browse'],
    refresh: true,
    revokeUrl: 'https://www.deviantart.com/oauth2/revoke',
    revoke: { as: 'token', body: { token: '{accessToken}' } },
  },
  account: { path: 'user/whoami', id: '/userid', name: '/username' },
};
