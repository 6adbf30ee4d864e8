import type { PlainProvider } from '../../integrations';

export const linear: PlainProvider = {
  key: 'linear',
  name: 'Linear',
  docs: 'https://linear.app/developers/oauth-2-0-authentication',
  checked: { at: '2026-11-27', against: 'arctic, public source code' },
  apiBaseUrl: 'https://api.linear.app/',
  oauth2: {
    authorizeUrl: 'https://linear.app/oauth/authorize',
    tokenUrl: 'https://api.linear.app/oauth/token',
    scopes: ['read'],
    revokeUrl: 'https://api.linear.app/oauth/revoke',
    scopeSeparator: ',',
    revoke: { as: 'token' },
  },
  account: {
    path: 'graphql',
    id: '/data/organization/id',
    name: '/data/organization/name',
    method: 'POST',
    body: { query: '{ organization { id name } }' },
  },
  webhooks: {
    scheme: { kind: 'hmac', header: 'linear-signature' },
    eventId: 'header:linear-delivery',
    type: ['/type', '/action'],
    routingKey: '/organizationId',
    objectId: '/data/id',
    objectVersion: '/data/updatedAt',
  },
};
