import type { PlainProvider } from '../../integrations';

export const figma: PlainProvider = {
  key: 'figma',
  name: 'Figma',
  docs: 'https://developers.figma.com/docs/rest-api/authentication/',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://api.figma.com/v1/',
  oauth2: {
    authorizeUrl: 'https://www.figma.com/oauth',
    tokenUrl: 'https://api.figma.com/v1/oauth/token',
    scopes: ['current_user:read'],
    pkce: false,
    clientAuth: 'basic',
  },
  account: { path: 'me', id: '/id', name: ['/handle', '/email'] },
};
