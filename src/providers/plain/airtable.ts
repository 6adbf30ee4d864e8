import type { PlainProvider } from '../../integrations';

export const airtable: PlainProvider = {
  key: 'airtable',
  name: 'Airtable',
  docs: 'https://airtable.com/developers/web/api/oauth-reference',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.airtable.com/v0/',
  oauth2: {
    authorizeUrl: 'https://airtable.com/oauth2/v1/authorize',
    tokenUrl: 'https://airtable.com/oauth2/v1/token',
    scopes: ['data.records:read', 'schema.bases:read'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
  },
  apiKey: { help: 'On airtable.com/create/tokens: a personal access token.' },
  account: { path: 'meta/whoami', id: '/id', name: ['/email', '/id'] },
  limits: { account: { perSecond: 50, burst: 50, per: 'account' } },
  resources: [
    {
      name: 'bases',
      label: 'Bases',
      extent: 'whole',
      path: 'meta/bases',
      items: '/bases',
      page: { by: 'cursor', param: 'offset', next: '/offset' },
    },
  ],
};
