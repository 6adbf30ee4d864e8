import type { PlainProvider } from '../../integrations';

export const instagram: PlainProvider = {
  key: 'instagram',
  name: 'Instagram',
  docs: 'https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, public source code' },
  apiBaseUrl: 'https://graph.instagram.com/',
  oauth2: {
    authorizeUrl: 'https://www.instagram.com/oauth/authorize',
    tokenUrl: 'https://api.instagram.com/oauth/access_token',
    scopes: ['instagram_business_basic'],
    scopeSeparator: ',',
  },
  account: { path: 'me?fields=user_id,username', id: '/user_id', name: '/username' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
    challenge: { method: 'GET', at: 'query:hub.challenge', reply: 'echo', token: 'hub.verify_token' },
    items: '/entry',
    type: ['token:/object'],
    routingKey: '/id',
  },
};
