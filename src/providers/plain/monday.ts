import type { PlainProvider } from '../../integrations';

export const monday: PlainProvider = {
  key: 'monday',
  name: 'monday.com',
  docs: 'https://developer.monday.com/apps/docs/oauth',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.monday.com/',
  oauth2: { authorizeUrl: 'https://auth.monday.com/oauth2/authorize', tokenUrl: 'https://auth.monday.com/oauth2/token' },
  account: {
    path: 'v2',
    id: '/data/me/account/id',
    name: '/data/me/account/name',
    method: 'POST',
    body: { query: '{ me { account { id name } } }' },
  },
  credential: { in: 'header', name: 'authorization' },
};
