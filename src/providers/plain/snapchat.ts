import type { PlainProvider } from '../../integrations';

export const snapchat: PlainProvider = {
  key: 'snapchat',
  name: 'Snapchat',
  docs: 'https://developers.snap.com/api/marketing-api/Ads-API/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://adsapi.snapchat.com/v1/',
  oauth2: {
    authorizeUrl: 'https://accounts.snapchat.com/login/oauth2/authorize',
    tokenUrl: 'https://accounts.snapchat.com/login/oauth2/access_token',
    scopes: ['snapchat-marketing-api'],
    refresh: true,
  },
  account: { path: 'me', id: '/me/id', name: ['/me/display_name', '/me/email'] },
};
