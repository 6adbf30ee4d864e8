import type { PlainProvider } from '../../integrations';

export const dribbble: PlainProvider = {
  key: 'dribbble',
  name: 'Dribbble',
  docs: 'https://developer.dribbble.com/v2/oauth/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.dribbble.com/v2/',
  oauth2: { authorizeUrl: 'https://dribbble.com/oauth/authorize', tokenUrl: 'https://dribbble.com/oauth/token', scopes: ['public'] },
  account: { path: 'user', id: '/id', name: ['/name', '/login'] },
  resources: [{ name: 'shots', label: 'Shots', extent: 'whole', path: 'user/shots', query: { per_page: '100' }, page: { by: 'link' } }],
};
