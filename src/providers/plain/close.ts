import type { PlainProvider } from '../../integrations';

export const close: PlainProvider = {
  key: 'close',
  name: 'Close',
  docs: 'https://developer.close.com/topics/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.close.com/api/v1/',
  apiKey: { help: 'In Close under Settings, Developer: an API key.' },
  account: { path: 'me/', id: '/id', name: '/email' },
  credential: { in: 'basic' },
};
