import type { PlainProvider } from '../../integrations';

export const freshbooks: PlainProvider = {
  key: 'freshbooks',
  name: 'FreshBooks',
  docs: 'https://www.freshbooks.com/api/authentication',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://api.freshbooks.com/',
  oauth2: {
    authorizeUrl: 'https://auth.freshbooks.com/service/auth/oauth/authorize',
    tokenUrl: 'https://api.freshbooks.com/auth/oauth/token',
    refresh: true,
    tokenBody: 'json',
  },
  account: { path: 'auth/api/v1/users/me', id: '/response/identity_id', name: '/response/email' },
};
