import type { PlainProvider } from '../../integrations';

export const anilist: PlainProvider = {
  key: 'anilist',
  name: 'AniList',
  docs: 'https://docs.anilist.co/guide/auth/authorization-code',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://graphql.anilist.co/',
  oauth2: { authorizeUrl: 'https://anilist.co/api/v2/oauth/authorize', tokenUrl: 'https://anilist.co/api/v2/oauth/token' },
  account: { path: '', id: '/data/Viewer/id', name: '/data/Viewer/name', method: 'POST', body: { query: '{ Viewer { id name } }' } },
};
