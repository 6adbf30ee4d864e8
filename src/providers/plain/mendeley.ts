import type { PlainProvider } from '../../integrations';

export const mendeley: PlainProvider = {
  key: 'mendeley',
  name: 'Mendeley',
  docs: 'https://dev.mendeley.com/reference/topics/authorization_overview.html',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.mendeley.com/',
  oauth2: {
    authorizeUrl: 'https://api.mendeley.com/oauth/authorize',
    tokenUrl: 'https://api.mendeley.com/oauth/token',
    scopes: ['all'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'profiles/me', id: '/id', name: ['/display_name', '/email'] },
  resources: [
    {
      name: 'documents',
      label: 'Documents',
      // The library of the person; groups have their own.
      extent: 'whole',
      path: 'documents',
      page: { by: 'link' },
      query: { limit: '500', sort: 'created', order: 'asc' },
      version: '/last_modified',
      since: { param: 'modified_since', as: 'iso' },
    },
  ],
};
