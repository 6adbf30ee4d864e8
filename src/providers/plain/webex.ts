import type { PlainProvider } from '../../integrations';

export const webex: PlainProvider = {
  key: 'webex',
  name: 'Webex',
  docs: 'https://developer.webex.com/docs/integrations',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://webexapis.com/v1/',
  oauth2: {
    authorizeUrl: 'https://webexapis.com/v1/authorize',
    tokenUrl: 'https://webexapis.com/v1/access_token',
    scopes: ['spark:people_read', 'spark:rooms_read'],
    refresh: true,
  },
  account: { path: 'people/me', id: '/id', name: ['/displayName', '/emails/0'], routingKey: '/orgId' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-spark-signature', algorithm: 'sha1' },
    type: ['/resource', '/event'],
    routingKey: '/orgId',
    objectId: '/data/id',
    objectVersion: '/created',
  },
  resources: [
    {
      name: 'rooms',
      label: 'Rooms',
      extent: 'whole',
      path: 'rooms',
      items: '/items',
      version: '/lastActivity',
      query: { max: '1000' },
      page: { by: 'link' },
    },
  ],
};
