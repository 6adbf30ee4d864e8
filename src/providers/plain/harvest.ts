import type { PlainProvider } from '../../integrations';

export const harvest: PlainProvider = {
  key: 'harvest',
  name: 'Harvest',
  docs: 'https://help.getharvest.com/api-v2/authentication-api/authentication/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.harvestapp.com/v2/',
  oauth2: {
    authorizeUrl: 'https://id.getharvest.com/oauth2/authorize',
    tokenUrl: 'https://id.getharvest.com/api/v2/oauth2/token',
    refresh: true,
  },
  account: { path: 'https://id.getharvest.com/api/v2/accounts', id: '/accounts/0/id', name: '/accounts/0/name' },
};
