import type { PlainProvider } from '../../integrations';

export const freeagent: PlainProvider = {
  key: 'freeagent',
  name: 'FreeAgent',
  docs: 'https://dev.freeagent.com/docs/oauth',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.freeagent.com/v2/',
  oauth2: {
    authorizeUrl: 'https://api.freeagent.com/v2/approve_app',
    tokenUrl: 'https://api.freeagent.com/v2/token_endpoint',
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'company', id: '/company/url', name: '/company/name' },
  resources: [
    {
      name: 'contacts',
      label: 'Contacts',
      // Hidden ones too, by `view`.
      extent: 'whole',
      path: 'contacts',
      items: '/contacts',
      id: '/url',
      version: '/updated_at',
      query: { per_page: '100', view: 'all' },
      page: { by: 'link' },
      since: { param: 'updated_since', as: 'iso' },
    },
  ],
};
