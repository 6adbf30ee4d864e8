import type { PlainProvider } from '../../integrations';

export const brevo: PlainProvider = {
  key: 'brevo',
  name: 'Brevo',
  docs: 'https://developers.brevo.com/docs/getting-started',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.brevo.com/v3/',
  apiKey: { help: 'In Brevo under SMTP and API: an API key.' },
  account: { path: 'account', id: '/email', name: ['/companyName', '/email'] },
  credential: { in: 'header', name: 'api-key' },
};
