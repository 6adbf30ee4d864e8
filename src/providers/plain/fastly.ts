import type { PlainProvider } from '../../integrations';

export const fastly: PlainProvider = {
  key: 'fastly',
  name: 'Fastly',
  docs: 'https://www.fastly.com/documentation/reference/api/#authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.fastly.com/',
  apiKey: { help: 'In Fastly under Account, API tokens: a personal token.' },
  account: { path: 'current_user', id: '/id', name: ['/name', '/login'] },
  credential: { in: 'header', name: 'fastly-key' },
};
