import type { PlainProvider } from '../../integrations';

export const pinterest: PlainProvider = {
  key: 'pinterest',
  name: 'Pinterest',
  docs: 'https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://api.pinterest.com/v5/',
  oauth2: {
    authorizeUrl: 'https://www.pinterest.com/oauth/',
    tokenUrl: 'https://api.pinterest.com/v5/oauth/token',
    scopes: ['user_accounts:read', 'boards:read'],
    refresh: true,
    clientAuth: 'basic',
    scopeSeparator: ',',
  },
  account: { path: 'user_account', id: '/id', name: ['/username', '/id'] },
  resources: [
    {
      name: 'boards',
      label: 'Boards',
      // They need boards:read_secret.
      extent: { filtered: 'Secret boards are left out.' },
      path: 'boards',
      items: '/items',
      query: { page_size: '250' },
      page: { by: 'cursor', param: 'bookmark', next: '/bookmark' },
    },
  ],
};
