import type { PlainProvider } from '../../integrations';

export const intra42: PlainProvider = {
  key: 'intra-42',
  name: '42 School',
  docs: 'https://api.intra.42.fr/apidoc/guides/web_application_flow',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://api.intra.42.fr/v2/',
  oauth2: { authorizeUrl: 'https://api.intra.42.fr/oauth/authorize', tokenUrl: 'https://api.intra.42.fr/oauth/token', scopes: ['public'] },
  account: { path: 'me', id: '/id', name: '/login' },
};
