import type { PlainProvider } from '../../integrations';

export const patreon: PlainProvider = {
  key: 'patreon',
  name: 'Patreon',
  docs: 'https://docs.patreon.com/#oauth',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://www.patreon.com/api/oauth2/v2/',
  oauth2: {
    authorizeUrl: 'https://www.patreon.com/oauth2/authorize',
    tokenUrl: 'https://www.patreon.com/api/oauth2/token',
    scopes: ['identity'],
    refresh: true,
  },
  account: { path: 'identity', id: '/data/id', name: ['/data/attributes/full_name', '/data/id'] },
  resources: [
    {
      name: 'campaigns',
      label: 'Campaigns',
      extent: 'whole',
      path: 'campaigns',
      items: '/data',
      page: { by: 'cursor', param: 'page[cursor]', next: '/meta/pagination/cursors/next' },
    },
  ],
};
