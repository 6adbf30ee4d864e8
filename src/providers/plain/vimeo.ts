import type { PlainProvider } from '../../integrations';

export const vimeo: PlainProvider = {
  key: 'vimeo',
  name: 'Vimeo',
  docs: 'https://developer.vimeo.com/api/authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.vimeo.com/',
  oauth2: {
    authorizeUrl: 'https://api.vimeo.com/oauth/authorize',
    tokenUrl: 'https://api.vimeo.com/oauth/access_token',
    scopes: ['public', 'private'],
    clientAuth: 'basic',
  },
  account: { path: 'me', id: '/uri', name: '/name' },
  resources: [
    {
      name: 'videos',
      label: 'Videos',
      extent: { wholeWith: ['private'], otherwise: 'Private videos may be left out.' },
      path: 'me/videos',
      items: '/data',
      id: '/uri',
      version: '/modified_time',
      query: { per_page: '100' },
      page: { by: 'cursor', next: '/paging/next' },
    },
  ],
};
