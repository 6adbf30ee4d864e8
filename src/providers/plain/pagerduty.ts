import type { PlainProvider } from '../../integrations';

export const pagerduty: PlainProvider = {
  key: 'pagerduty',
  name: 'PagerDuty',
  docs: 'https://developer.pagerduty.com/docs/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.pagerduty.com/',
  apiKey: { help: 'In PagerDuty under My profile, User settings: an API user token.' },
  account: { path: 'users/me', id: '/user/id', name: ['/user/name', '/user/email'] },
  credential: { in: 'header', name: 'authorization', prefix: 'Token token=' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-pagerduty-signature', prefix: 'v1=' },
    eventId: '/event/id',
    type: ['/event/event_type'],
    objectId: '/event/data/id',
    objectVersion: '/event/occurred_at',
  },
  resources: [
    {
      name: 'services',
      label: 'Services',
      extent: 'whole',
      path: 'services',
      items: '/services',
      query: { limit: '100' },
      page: { by: 'offset', param: 'offset', size: 100 },
    },
  ],
};
