import type { PlainProvider } from '../../integrations';

export const myanimelist: PlainProvider = {
  key: 'myanimelist',
  name: 'MyAnimeList',
  docs: 'https://myanimelist.net/apiconfig/references/authorization',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://api.myanimelist.net/v2/',
  oauth2: {
    authorizeUrl: 'https://myanimelist.net/v1/oauth2/authorize',
    tokenUrl: 'https://myanimelist.net/v1/oauth2/token',
    refresh: true,
  },
  account: { path: 'users/@me', id: '/id', name: '/name' },
};
