import type { PlainProvider } from '../../integrations';

export const circleci: PlainProvider = {
  key: 'circleci',
  name: 'CircleCI',
  docs: 'https://circleci.com/docs/api-developers-guide/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://circleci.com/api/v2/',
  apiKey: { help: 'In CircleCI under User settings: a personal API token.' },
  account: { path: 'me', id: '/id', name: ['/name', '/login'] },
  credential: { in: 'header', name: 'circle-token' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'circleci-signature', prefix: 'v1=' },
    eventId: '/id',
    type: ['/type'],
    routingKey: '/organization/id',
  },
};
