import type { PlainProvider } from '../../integrations';

export const procore: PlainProvider = {
  key: 'procore',
  name: 'Procore',
  docs: 'https://developers.procore.com/documentation/oauth-endpoints',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.procore.com/rest/v1.0/',
  oauth2: { authorizeUrl: 'https://login.procore.com/oauth/authorize', tokenUrl: 'https://login.procore.com/oauth/token', refresh: true },
  account: { path: 'me', id: '/id', name: ['/name', '/login'] },
  resources: [
    {
      name: 'companies',
      label: 'Companies',
      // Unless include_free_companies is asked for, which is a right of its own.
      extent: { filtered: 'Procore leaves free companies out.' },
      path: 'companies',
      query: { per_page: '100' },
      page: { by: 'link' },
    },
  ],
};
