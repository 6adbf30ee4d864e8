import type { PlainProvider } from '../../integrations';

export const contentful: PlainProvider = {
  key: 'contentful',
  name: 'Contentful',
  docs: 'https://www.contentful.com/developers/docs/references/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.contentful.com/',
  apiKey: { help: 'In Contentful under Settings, CMA tokens: a personal access token.' },
  account: { path: 'users/me', id: '/sys/id', name: ['/email', '/sys/id'] },
  resources: [
    {
      name: 'spaces',
      label: 'Spaces',
      extent: 'whole',
      path: 'spaces',
      items: '/items',
      id: '/sys/id',
      version: '/sys/updatedAt',
      page: { by: 'offset', param: 'skip', size: 100, sizeParam: 'limit' },
    },
  ],
};
