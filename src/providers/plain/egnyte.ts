import type { PlainProvider } from '../../integrations';

export const egnyte: PlainProvider = {
  key: 'egnyte',
  name: 'Egnyte',
  docs: 'https://developers.egnyte.com/docs/read/Public_API_Authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://{domain}.egnyte.com/pubapi/v1/',
  hosts: ['*.egnyte.com'],
  ask: { domain: { label: 'Domain before .egnyte.com', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  oauth2: {
    authorizeUrl: 'https://{domain}.egnyte.com/puboauth/token',
    tokenUrl: 'https://{domain}.egnyte.com/puboauth/token',
    scopes: ['Egnyte.filesystem'],
  },
  account: { path: 'userinfo', id: '/id', name: '/username' },
};
