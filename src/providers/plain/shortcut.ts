import type { PlainProvider } from '../../integrations';

export const shortcut: PlainProvider = {
  key: 'shortcut',
  name: 'Shortcut',
  docs: 'https://developer.shortcut.com/api/rest/v3#Authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.app.shortcut.com/api/v3/',
  apiKey: { help: 'In Shortcut under Settings, API tokens: a token.' },
  account: { path: 'member', id: '/id', name: ['/name', '/mention_name'] },
  credential: { in: 'header', name: 'shortcut-token' },
  resources: [{ name: 'epics', label: 'Epics', extent: 'whole', path: 'epics', version: '/updated_at', page: { by: 'none' } }],
};
