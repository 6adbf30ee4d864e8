import type { PlainProvider } from '../../integrations';

export const line: PlainProvider = {
  key: 'line',
  name: 'LINE',
  docs: 'https://developers.line.biz/en/docs/line-login/integrate-line-login/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://api.line.me/',
  oauth2: {
    authorizeUrl: 'https://access.line.me/oauth2/v2.1/authorize',
    tokenUrl: 'https://api.line.me/oauth2/v2.1/token',
    scopes: ['profile'],
    refresh: true,
    pkce: true,
    revokeUrl: 'https://api.line.me/oauth2/v2.1/revoke',
    revoke: { body: { access_token: '{accessToken}', client_id: '{clientId}', client_secret: '{clientSecret}' } },
  },
  account: { path: 'v2/profile', id: '/userId', name: '/displayName' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-line-signature', encoding: 'base64' },
    items: '/events',
    eventId: '/webhookEventId',
    type: ['/type'],
    routingKey: 'token:/destination',
  },
};
