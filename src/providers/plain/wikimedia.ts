import type { PlainProvider } from '../../integrations';

export const wikimedia: PlainProvider = {
  key: 'wikimedia',
  name: 'Wikimedia',
  docs: 'https://api.wikimedia.org/wiki/Authentication',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://meta.wikimedia.org/w/rest.php/',
  oauth2: {
    authorizeUrl: 'https://meta.wikimedia.org/w/rest.php/oauth2/authorize',
    tokenUrl: 'https://meta.wikimedia.org/w/rest.php/oauth2/access_token',
    refresh: true,
  },
  account: { path: 'oauth2/resource/profile', id: '/sub', name: '/username' },
};
