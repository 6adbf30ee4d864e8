import type { PlainProvider } from '../../integrations';

export const netlify: PlainProvider = {
  key: 'netlify',
  name: 'Netlify',
  docs: 'https://docs.netlify.com/api/get-started/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core' },
  apiBaseUrl: 'https://api.netlify.com/api/v1/',
  oauth2: { authorizeUrl: 'https://app.netlify.com/authorize', tokenUrl: 'https://api.netlify.com/oauth/token' },
  account: { path: 'user', id: '/id', name: ['/full_name', '/email'] },
  webhooks: {
    scheme: { kind: 'jwt', header: 'x-webhook-signature', bodyHash: 'sha256' },
    type: ['/state'],
    objectId: '/id',
    routingKey: '/user_id',
  },
  resources: [
    {
      name: 'sites',
      label: 'Sites',
      extent: 'whole',
      path: 'sites',
      version: '/updated_at',
      query: { per_page: '100' },
      page: { by: 'link' },
    },
  ],
};
