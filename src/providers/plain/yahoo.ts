import type { PlainProvider } from '../../integrations';

export const yahoo: PlainProvider = {
  key: 'yahoo',
  name: 'Yahoo',
  docs: 'https://developer.yahoo.com/oauth2/guide/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://api.login.yahoo.com/',
  oauth2: {
    authorizeUrl: 'https://api.login.yahoo.com/oauth2/request_auth',
    tokenUrl: 'https://api.login.yahoo.com/oauth2/get_token',
    scopes: ['openid', 'profile'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'openid/v1/userinfo', id: '/sub', name: ['/name', '/email'] },
};
