import type { PlainProvider } from '../../integrations';

export const soundcloud: PlainProvider = {
  key: 'soundcloud',
  name: 'SoundCloud',
  docs: 'https://developers.soundcloud.com/docs/api/guide#authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.soundcloud.com/',
  oauth2: {
    authorizeUrl: 'https://secure.soundcloud.com/authorize',
    tokenUrl: 'https://secure.soundcloud.com/oauth/token',
    refresh: true,
    pkce: true,
  },
  account: { path: 'me', id: '/id', name: '/username' },
  credential: { in: 'header', name: 'authorization', prefix: 'OAuth ' },
  resources: [
    {
      name: 'tracks',
      label: 'Tracks',
      extent: 'whole',
      path: 'me/tracks',
      items: '/collection',
      query: { limit: '200', linked_partitioning: 'true' },
      page: { by: 'cursor', next: '/next_href' },
    },
  ],
};
