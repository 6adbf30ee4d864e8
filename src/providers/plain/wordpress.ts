import type { PlainProvider } from '../../integrations';

export const wordpress: PlainProvider = {
  key: 'wordpress',
  name: 'WordPress.com',
  docs: 'https://developer.wordpress.com/docs/oauth2/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core' },
  apiBaseUrl: 'https://public-api.wordpress.com/rest/v1.1/',
  oauth2: {
    authorizeUrl: 'https://public-api.wordpress.com/oauth2/authorize',
    tokenUrl: 'https://public-api.wordpress.com/oauth2/token',
    scopes: ['auth'],
  },
  account: { path: 'me', id: '/ID', name: ['/display_name', '/username'] },
};
