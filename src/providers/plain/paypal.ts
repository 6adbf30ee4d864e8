import type { PlainProvider } from '../../integrations';

export const paypal: PlainProvider = {
  key: 'paypal',
  name: 'PayPal',
  docs: 'https://developer.paypal.com/api/rest/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api-m.paypal.com/',
  oauth2: { grant: 'client_credentials', tokenUrl: 'https://api-m.paypal.com/v1/oauth2/token', clientAuth: 'basic' },
  account: { path: 'v1/identity/oauth2/userinfo?schema=paypalv1.1', id: ['/payer_id', '/user_id'], name: '/name' },
};
