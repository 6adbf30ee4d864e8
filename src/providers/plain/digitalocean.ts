import type { PlainProvider } from '../../integrations';

export const digitalocean: PlainProvider = {
  key: 'digitalocean',
  name: 'DigitalOcean',
  docs: 'https://docs.digitalocean.com/reference/api/oauth/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.digitalocean.com/v2/',
  oauth2: {
    authorizeUrl: 'https://cloud.digitalocean.com/v1/oauth/authorize',
    tokenUrl: 'https://cloud.digitalocean.com/v1/oauth/token',
    scopes: ['read'],
    refresh: true,
    revokeUrl: 'https://cloud.digitalocean.com/v1/oauth/revoke',
    revoke: { as: 'token', body: { token: '{accessToken}' } },
  },
  account: { path: 'account', id: '/account/uuid', name: ['/account/team/name', '/account/email'] },
  resources: [
    {
      name: 'droplets',
      label: 'Droplets',
      // https://docs.digitalocean.com/reference/api/reference/droplets: unless `type` asks for them, and then for them alone.
      extent: { filtered: 'Droplets with GPUs are left out.' },
      path: 'droplets',
      items: '/droplets',
      query: { per_page: '200' },
      page: { by: 'cursor', next: '/links/pages/next' },
    },
    {
      name: 'domains',
      label: 'Domains',
      extent: 'whole',
      path: 'domains',
      items: '/domains',
      id: '/name',
      query: { per_page: '200' },
      page: { by: 'cursor', next: '/links/pages/next' },
    },
  ],
};
