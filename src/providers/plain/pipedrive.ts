import type { PlainProvider } from '../../integrations';

export const pipedrive: PlainProvider = {
  key: 'pipedrive',
  name: 'Pipedrive',
  docs: 'https://pipedrive.readme.io/docs/marketplace-oauth-authorization',
  checked: { at: '2026-11-27', against: '@auth/core, public source code' },
  apiBaseUrl: '{domain}/api/v1/',
  hosts: ['*.pipedrive.com'],
  learn: { domain: '/api_domain' },
  oauth2: {
    authorizeUrl: 'https://oauth.pipedrive.com/oauth/authorize',
    tokenUrl: 'https://oauth.pipedrive.com/oauth/token',
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'users/me', id: '/data/company_id', name: '/data/company_name' },
  resources: [
    {
      name: 'persons',
      label: 'Persons',
      extent: 'whole',
      path: 'persons',
      items: '/data',
      version: '/update_time',
      query: { limit: '500' },
      page: { by: 'cursor', param: 'start', next: '/additional_data/pagination/next_start' },
    },
  ],
};
