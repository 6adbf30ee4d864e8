import type { PlainProvider } from '../../integrations';

export const asana: PlainProvider = {
  key: 'asana',
  name: 'Asana',
  docs: 'https://developers.asana.com/docs/oauth',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://app.asana.com/api/1.0/',
  oauth2: {
    authorizeUrl: 'https://app.asana.com/-/oauth_authorize',
    tokenUrl: 'https://app.asana.com/-/oauth_token',
    revokeUrl: 'https://app.asana.com/-/oauth_revoke',
    scopes: ['default'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'users/me', id: '/data/gid', name: '/data/name' },
  resources: [
    {
      name: 'workspaces',
      label: 'Workspaces',
      extent: 'whole',
      path: 'workspaces',
      items: '/data',
      id: '/gid',
      query: { limit: '100' },
      page: { by: 'cursor', param: 'offset', next: '/next_page/offset' },
    },
  ],
};
