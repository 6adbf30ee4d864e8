import type { PlainProvider } from '../../integrations';

export const trakt: PlainProvider = {
  key: 'trakt',
  name: 'Trakt',
  docs: 'https://trakt.docs.apiary.io/#reference/authentication-oauth',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://api.trakt.tv/',
  oauth2: {
    authorizeUrl: 'https://trakt.tv/oauth/authorize',
    tokenUrl: 'https://api.trakt.tv/oauth/token',
    refresh: true,
    tokenBody: 'json',
    revokeUrl: 'https://api.trakt.tv/oauth/revoke',
    revoke: { bodyAs: 'json', body: { token: '{accessToken}', client_id: '{clientId}', client_secret: '{clientSecret}' } },
  },
  account: { path: 'users/me', id: '/ids/slug', name: '/username' },
  headers: { 'trakt-api-version': '2', 'trakt-api-key': '{clientId}' },
};
