import type { PlainProvider } from '../../integrations';

export const bitly: PlainProvider = {
  key: 'bitly',
  name: 'Bitly',
  docs: 'https://dev.bitly.com/docs/getting-started/authentication/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api-ssl.bitly.com/v4/',
  oauth2: { authorizeUrl: 'https://bitly.com/oauth/authorize', tokenUrl: 'https://api-ssl.bitly.com/oauth/access_token' },
  account: { path: 'user', id: '/login', name: '/name' },
  resources: [{ name: 'groups', label: 'Groups', extent: 'whole', path: 'groups', items: '/groups', id: '/guid', page: { by: 'none' } }],
};
