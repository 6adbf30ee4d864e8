import type { PlainProvider } from '../../integrations';

export const amazon: PlainProvider = {
  key: 'amazon',
  name: 'Login with Amazon',
  docs: 'https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.amazon.com/',
  oauth2: {
    authorizeUrl: 'https://www.amazon.com/ap/oa',
    tokenUrl: 'https://api.amazon.com/auth/o2/token',
    scopes: ['profile'],
    refresh: true,
  },
  account: { path: 'user/profile', id: '/user_id', name: ['/name', '/email'] },
};
