import type { PlainProvider } from '../../integrations';

export const facebook: PlainProvider = {
  key: 'facebook',
  name: 'Facebook',
  docs: 'https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://graph.facebook.com/',
  oauth2: {
    authorizeUrl: 'https://www.facebook.com/dialog/oauth',
    tokenUrl: 'https://graph.facebook.com/oauth/access_token',
    scopes: ['public_profile', 'email'],
    scopeSeparator: ',',
  },
  account: { path: 'me', id: '/id', name: ['/name', '/id'] },
  faults: [
    { status: 400, at: '/error/code', is: '190', code: 'needs_reauth', grantEnded: true },
    { status: 400, at: '/error/code', is: ['4', '17', '32', '613'], code: 'provider_rate_limited' },
  ],
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
    challenge: { method: 'GET', at: 'query:hub.challenge', reply: 'echo', token: 'hub.verify_token' },
    items: '/entry',
    type: ['token:/object'],
    routingKey: '/id',
  },
};
