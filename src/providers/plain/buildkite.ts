import type { PlainProvider } from '../../integrations';

export const buildkite: PlainProvider = {
  key: 'buildkite',
  name: 'Buildkite',
  docs: 'https://buildkite.com/docs/apis/rest-api',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.buildkite.com/v2/',
  apiKey: { help: 'In Buildkite under Personal settings: an API access token.' },
  account: { path: 'user', id: '/id', name: ['/name', '/email'] },
  webhooks: { scheme: { kind: 'token', header: 'x-buildkite-token' }, type: ['header:x-buildkite-event'], routingKey: '/sender/id' },
  resources: [
    {
      name: 'organizations',
      label: 'Organizations',
      extent: 'whole',
      path: 'organizations',
      query: { per_page: '100' },
      page: { by: 'link' },
    },
  ],
};
