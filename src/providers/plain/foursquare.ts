import type { PlainProvider } from '../../integrations';

export const foursquare: PlainProvider = {
  key: 'foursquare',
  name: 'Foursquare',
  docs: 'https://docs.foursquare.com/developer/reference/v2-authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core' },
  apiBaseUrl: 'https://api.foursquare.com/v2/',
  oauth2: { authorizeUrl: 'https://foursquare.com/oauth2/authenticate', tokenUrl: 'https://foursquare.com/oauth2/access_token' },
  account: { path: 'users/self?v=20231010', id: '/response/user/id', name: ['/response/user/firstName', '/response/user/id'] },
};
