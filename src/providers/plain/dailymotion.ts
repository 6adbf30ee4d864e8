import type { PlainProvider } from '../../integrations';

export const dailymotion: PlainProvider = {
  key: 'dailymotion',
  name: 'Dailymotion',
  docs: 'https://developers.dailymotion.com/guides/user-authentication/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.dailymotion.com/',
  oauth2: {
    authorizeUrl: 'https://www.dailymotion.com/oauth/authorize',
    tokenUrl: 'https://api.dailymotion.com/oauth/token',
    refresh: true,
  },
  account: { path: 'user/me', id: '/id', name: ['/screenname', '/id'] },
  resources: [
    {
      name: 'videos',
      label: 'Videos',
      // https://developers.dailymotion.com/api/: page times limit is at most 1,000.
      extent: { window: 'Dailymotion lists a thousand videos at most.' },
      path: 'user/me/videos',
      items: '/list',
      query: { limit: '100' },
      page: { by: 'number', param: 'page', size: 100 },
    },
  ],
};
