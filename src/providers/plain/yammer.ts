import type { PlainProvider } from '../../integrations';

export const yammer: PlainProvider = {
  key: 'yammer',
  name: 'Viva Engage',
  docs: 'https://learn.microsoft.com/en-us/rest/api/yammer/oauth-2',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://www.yammer.com/api/v1/',
  oauth2: { authorizeUrl: 'https://www.yammer.com/dialog/oauth', tokenUrl: 'https://www.yammer.com/oauth2/access_token.json' },
  account: { path: 'users/current.json', id: '/id', name: '/full_name' },
  token: { access: '/access_token/token' },
};
