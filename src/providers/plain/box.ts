import type { PlainProvider } from '../../integrations';

export const box: PlainProvider = {
  key: 'box',
  name: 'Box',
  docs: 'https://developer.box.com/guides/authentication/oauth2/',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://api.box.com/2.0/',
  oauth2: {
    authorizeUrl: 'https://account.box.com/api/oauth2/authorize',
    tokenUrl: 'https://api.box.com/oauth2/token',
    refresh: true,
    revokeUrl: 'https://api.box.com/oauth2/revoke',
  },
  account: { path: 'users/me', id: '/id', name: ['/name', '/login'] },
  limits: { account: { perSecond: 16, burst: 100, per: 'account' } },
  resources: [
    {
      name: 'root_items',
      label: 'Files and folders at the top',
      // Without what is in the trash, which is as good as deleted.
      extent: 'whole',
      path: 'folders/0/items',
      items: '/entries',
      query: { limit: '1000', usemarker: 'true' },
      page: { by: 'cursor', param: 'marker', next: '/next_marker' },
    },
  ],
};
