import type { PlainProvider } from '../../integrations';

export const strava: PlainProvider = {
  key: 'strava',
  name: 'Strava',
  docs: 'https://developers.strava.com/docs/authentication/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://www.strava.com/api/v3/',
  oauth2: {
    authorizeUrl: 'https://www.strava.com/oauth/authorize',
    tokenUrl: 'https://www.strava.com/api/v3/oauth/token',
    scopes: ['read', 'activity:read'],
    refresh: true,
    revokeUrl: 'https://www.strava.com/oauth/deauthorize',
    scopeSeparator: ',',
    revoke: { as: 'token', body: { access_token: '{accessToken}' } },
  },
  account: { path: 'athlete', id: '/id', name: ['/username', '/firstname'] },
  resources: [
    {
      name: 'activities',
      label: 'Activities',
      // They need activity:read_all.
      extent: { filtered: 'Activities that only their owner sees are left out.' },
      path: 'athlete/activities',
      query: { per_page: '200' },
      page: { by: 'number', param: 'page', size: 200 },
    },
  ],
};
