import type { PlainProvider } from '../../integrations';

export const tiltify: PlainProvider = {
  key: 'tiltify',
  name: 'Tiltify',
  docs: 'https://developers.tiltify.com/docs/auth',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://v5api.tiltify.com/api/public/',
  oauth2: { authorizeUrl: 'https://v5api.tiltify.com/oauth/authorize', tokenUrl: 'https://v5api.tiltify.com/oauth/token', refresh: true },
  account: { path: 'current-user', id: '/data/id', name: '/data/username' },
};
