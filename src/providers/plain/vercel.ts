import type { PlainProvider } from '../../integrations';

export const vercel: PlainProvider = {
  key: 'vercel',
  name: 'Vercel',
  docs: 'https://vercel.com/docs/integrations/vercel-api-integrations',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.vercel.com/',
  oauth2: { authorizeUrl: 'https://vercel.com/oauth/authorize', tokenUrl: 'https://api.vercel.com/v2/oauth/access_token' },
  account: { path: 'v2/user', id: '/user/id', name: ['/user/username', '/user/email'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-vercel-signature', algorithm: 'sha1' },
    signedByClient: true,
    eventId: '/id',
    type: ['/type'],
    routingKey: '/payload/user/id',
    // https://vercel.com/docs/webhooks/webhooks-api
    records: [
      { types: ['project.created', 'project.removed'], resource: 'projects', id: '/payload/project/id', gone: ['project.removed'] },
    ],
    ended: ['integration-configuration.removed'],
  },
  resources: [
    {
      name: 'projects',
      label: 'Projects',
      // In the order of the last change, with a time as the place.
      extent: { filtered: 'A project that changes while the list is read may be missed.' },
      path: 'v9/projects',
      items: '/projects',
      version: '/updatedAt',
      query: { limit: '100' },
      page: { by: 'cursor', param: 'until', next: '/pagination/next' },
    },
  ],
};
