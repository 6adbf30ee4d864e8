import type { PlainProvider } from '../../integrations';

export const aha: PlainProvider = {
  key: 'aha',
  name: 'Aha!',
  docs: 'https://www.aha.io/api/oauth2',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://{subdomain}.aha.io/api/v1/',
  hosts: ['*.aha.io'],
  ask: { subdomain: { label: 'Subdomain of aha.io', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  oauth2: { authorizeUrl: 'https://{subdomain}.aha.io/oauth/authorize', tokenUrl: 'https://{subdomain}.aha.io/oauth/token' },
  account: { path: 'me', id: '/user/id', name: ['/user/name', '/user/email'] },
};
