import type { PlainProvider } from '../../integrations';

export const podio: PlainProvider = {
  key: 'podio',
  name: 'Podio',
  docs: 'https://developers.podio.com/authentication/server_side',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.podio.com/',
  oauth2: { authorizeUrl: 'https://podio.com/oauth/authorize', tokenUrl: 'https://api.podio.com/oauth/token', refresh: true },
  account: { path: 'user/status', id: '/user/user_id', name: ['/profile/name', '/user/mail'] },
  credential: { in: 'header', name: 'authorization', prefix: 'OAuth2 ' },
};
