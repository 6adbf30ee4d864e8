import type { PlainProvider } from '../../integrations';

export const spotify: PlainProvider = {
  key: 'spotify',
  name: 'Spotify',
  docs: 'https://developer.spotify.com/documentation/web-api/tutorials/code-flow',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.spotify.com/v1/',
  oauth2: {
    authorizeUrl: 'https://accounts.spotify.com/authorize',
    tokenUrl: 'https://accounts.spotify.com/api/token',
    scopes: ['user-read-email', 'playlist-read-private'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
  },
  // https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow: what is no person's, e.g. the catalogue.
  app: { by: 'client_credentials' },
  endpoints: [{ method: 'GET', path: '/v1/search' }],
  account: { path: 'me', id: '/id', name: ['/display_name', '/id'] },
  resources: [
    {
      name: 'playlists',
      label: 'Playlists',
      extent: { wholeWith: ['playlist-read-private'], otherwise: 'Private playlists may be left out.' },
      path: 'me/playlists',
      items: '/items',
      query: { limit: '50' },
      page: { by: 'cursor', next: '/next' },
    },
  ],
};
