import type { PlainProvider } from '../../integrations';

export const concept2: PlainProvider = {
  key: 'concept2',
  name: 'Concept2 Logbook',
  docs: 'https://log.concept2.com/developers/documentation/',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://log.concept2.com/api/',
  oauth2: {
    authorizeUrl: 'https://log.concept2.com/oauth/authorize',
    tokenUrl: 'https://log.concept2.com/oauth/access_token',
    scopes: ['user:read', 'results:read'],
    refresh: true,
    scopeSeparator: ',',
  },
  account: { path: 'users/me', id: '/data/id', name: '/data/username' },
};
