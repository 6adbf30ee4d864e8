import type { PlainProvider } from '../../integrations';

export const devTo: PlainProvider = {
  key: 'dev-to',
  name: 'DEV Community',
  docs: 'https://developers.forem.com/api/v1#section/Authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://dev.to/api/',
  apiKey: { help: 'In DEV under Settings, Extensions: a DEV Community API key.' },
  account: { path: 'users/me', id: '/id', name: '/username' },
  credential: { in: 'header', name: 'api-key' },
  resources: [
    {
      name: 'articles',
      label: 'Articles',
      // Published or not.
      extent: 'whole',
      path: 'articles/me/all',
      page: { by: 'number', param: 'page', size: 100, sizeParam: 'per_page' },
    },
  ],
};
