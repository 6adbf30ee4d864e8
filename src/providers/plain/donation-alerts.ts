import type { PlainProvider } from '../../integrations';

export const donationAlerts: PlainProvider = {
  key: 'donation-alerts',
  name: 'DonationAlerts',
  docs: 'https://www.donationalerts.com/apidoc#authorization',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://www.donationalerts.com/api/v1/',
  oauth2: {
    authorizeUrl: 'https://www.donationalerts.com/oauth/authorize',
    tokenUrl: 'https://www.donationalerts.com/oauth/token',
    scopes: ['oauth-user-show'],
    refresh: true,
  },
  account: { path: 'user/oauth', id: '/data/id', name: '/data/name' },
};
