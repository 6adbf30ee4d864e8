import type { PlainProvider } from '../../integrations';

export const stackexchange: PlainProvider = {
  key: 'stackexchange',
  name: 'Stack Exchange',
  docs: 'https://api.stackexchange.com/docs/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.stackexchange.com/2.3/',
  ask: { appKey: { label: 'Request key of the app', pattern: /[\w()*]{5,60}/, example: 'U4DMV8nvpm3EOpvf69Rxw' } },
  oauth2: {
    authorizeUrl: 'https://stackoverflow.com/oauth',
    tokenUrl: 'https://stackoverflow.com/oauth/access_token/json',
    scopes: ['no_expiry'],
    scopeSeparator: ',',
  },
  account: { path: 'me?site=stackoverflow&key={appKey}', id: '/items/0/account_id', name: '/items/0/display_name' },
  credential: { in: 'query', name: 'access_token' },
};
