import type { PlainProvider } from '../../integrations';

export const aweber: PlainProvider = {
  key: 'aweber',
  name: 'AWeber',
  docs: 'https://api.aweber.com/#tag/OAuth-2.0-Reference',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.aweber.com/1.0/',
  oauth2: {
    authorizeUrl: 'https://auth.aweber.com/oauth2/authorize',
    tokenUrl: 'https://auth.aweber.com/oauth2/token',
    scopes: ['account.read', 'list.read'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'accounts', id: '/entries/0/id', name: '/entries/0/company' },
};
