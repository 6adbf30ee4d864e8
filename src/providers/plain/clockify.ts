import type { PlainProvider } from '../../integrations';

export const clockify: PlainProvider = {
  key: 'clockify',
  name: 'Clockify',
  docs: 'https://docs.clockify.me/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.clockify.me/api/v1/',
  apiKey: { help: 'In Clockify under Preferences, Advanced: an API key.' },
  account: { path: 'user', id: '/id', name: ['/name', '/email'] },
  credential: { in: 'header', name: 'x-api-key' },
  resources: [{ name: 'workspaces', label: 'Workspaces', extent: 'whole', path: 'workspaces', page: { by: 'none' } }],
};
