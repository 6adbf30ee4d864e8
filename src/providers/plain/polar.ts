import type { PlainProvider } from '../../integrations';

export const polar: PlainProvider = {
  key: 'polar',
  name: 'Polar',
  docs: 'https://polar.sh/docs/integrate/oauth2/introduction',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://api.polar.sh/v1/',
  oauth2: {
    authorizeUrl: 'https://polar.sh/oauth2/authorize',
    tokenUrl: 'https://api.polar.sh/v1/oauth2/token',
    scopes: ['openid', 'profile'],
    refresh: true,
    pkce: true,
    revokeUrl: 'https://api.polar.sh/v1/oauth2/revoke',
  },
  account: { path: 'oauth2/userinfo', id: '/sub', name: ['/name', '/email'] },
  webhooks: { scheme: { kind: 'standard' }, eventId: 'header:webhook-id', type: ['/type'], routingKey: '/data/organization_id' },
};
