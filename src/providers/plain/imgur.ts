import type { PlainProvider } from '../../integrations';

export const imgur: PlainProvider = {
  key: 'imgur',
  name: 'Imgur',
  docs: 'https://apidocs.imgur.com/#authorization-and-oauth',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.imgur.com/3/',
  oauth2: { authorizeUrl: 'https://api.imgur.com/oauth2/authorize', tokenUrl: 'https://api.imgur.com/oauth2/token', refresh: true },
  account: { path: 'account/me', id: '/data/id', name: '/data/url' },
};
