import type { PlainProvider } from '../../integrations';

export const osu: PlainProvider = {
  key: 'osu',
  name: 'osu!',
  docs: 'https://osu.ppy.sh/docs/index.html#authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://osu.ppy.sh/api/v2/',
  oauth2: {
    authorizeUrl: 'https://osu.ppy.sh/oauth/authorize',
    tokenUrl: 'https://osu.ppy.sh/oauth/token',
    scopes: ['identify'],
    refresh: true,
  },
  account: { path: 'me', id: '/id', name: '/username' },
};
