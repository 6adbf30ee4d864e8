import type { PlainProvider } from '../../integrations';

export const paypal: PlainProvider = {
  key: 'paypal',
  name: 'PayPal',
  docs: 'https://developer.paypal.com/api/rest/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api-m.paypal.com/',
  oauth2: { grant: 'client_credentials', tokenUrl: 'https://api-m.paypal.com/v1/oauth2/token', clientAuth: 'basic' },
  account: { id: 'token:/app_id', name: 'token:/app_id' },
};
