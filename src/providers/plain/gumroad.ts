import type { PlainProvider } from '../../integrations';

export const gumroad: PlainProvider = {
  key: 'gumroad',
  name: 'Gumroad',
  docs: 'https://gumroad.com/api',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.gumroad.com/v2/',
  oauth2: { authorizeUrl: 'https://gumroad.com/oauth/authorize', tokenUrl: 'https://gumroad.com/oauth/token', scopes: ['view_profile'] },
  account: { path: 'user', id: '/user/user_id', name: ['/user/name', '/user/email'] },
  resources: [{ name: 'products', label: 'Products', extent: 'whole', path: 'products', items: '/products', page: { by: 'none' } }],
};
