import type { PlainProvider } from '../../integrations';

export const bitbucket: PlainProvider = {
  key: 'bitbucket',
  name: 'Bitbucket',
  docs: 'https://developer.atlassian.com/cloud/bitbucket/oauth-2/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.bitbucket.org/2.0/',
  oauth2: {
    authorizeUrl: 'https://bitbucket.org/site/oauth2/authorize',
    tokenUrl: 'https://bitbucket.org/site/oauth2/access_token',
    scopes: ['account', 'repository'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'user', id: '/uuid', name: ['/display_name', '/username'] },
  token: { scope: '/scopes' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature', prefix: 'sha256=' },
    eventId: 'header:x-request-uuid',
    type: ['header:x-event-key'],
    routingKey: ['/actor/uuid'],
  },
  resources: [
    {
      name: 'workspaces',
      label: 'Workspaces',
      extent: 'whole',
      path: 'workspaces',
      items: '/values',
      id: '/uuid',
      query: { pagelen: '100' },
      page: { by: 'cursor', next: '/next' },
    },
  ],
};
