import type { PlainProvider } from '../../integrations';

export const postmark: PlainProvider = {
  key: 'postmark',
  name: 'Postmark',
  docs: 'https://postmarkapp.com/developer/api/overview',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.postmarkapp.com/',
  apiKey: { help: 'In Postmark under the server, API Tokens: a server API token.' },
  account: { path: 'server', id: '/ID', name: '/Name' },
  credential: { in: 'header', name: 'x-postmark-server-token' },
};
