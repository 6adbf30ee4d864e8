import type { PlainProvider } from '../../integrations';

export const mixcloud: PlainProvider = {
  key: 'mixcloud',
  name: 'Mixcloud',
  docs: 'https://www.mixcloud.com/developers/#authorization',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.mixcloud.com/',
  oauth2: { authorizeUrl: 'https://www.mixcloud.com/oauth/authorize', tokenUrl: 'https://www.mixcloud.com/oauth/access_token' },
  account: { path: 'me/', id: '/key', name: ['/name', '/username'] },
  credential: { in: 'query', name: 'access_token' },
};
