import type { PlainProvider } from '../../integrations';

export const genius: PlainProvider = {
  key: 'genius',
  name: 'Genius',
  docs: 'https://docs.genius.com/#/authentication-h1',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.genius.com/',
  oauth2: { authorizeUrl: 'https://api.genius.com/oauth/authorize', tokenUrl: 'https://api.genius.com/oauth/token', scopes: ['me'] },
  account: { path: 'account', id: '/response/user/id', name: '/response/user/name' },
};
