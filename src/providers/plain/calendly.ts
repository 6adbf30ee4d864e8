import type { PlainProvider } from '../../integrations';

export const calendly: PlainProvider = {
  key: 'calendly',
  name: 'Calendly',
  docs: 'https://developer.calendly.com/how-to-authenticate-with-oauth',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.calendly.com/',
  oauth2: {
    authorizeUrl: 'https://auth.calendly.com/oauth/authorize',
    tokenUrl: 'https://auth.calendly.com/oauth/token',
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'users/me', id: '/resource/uri', name: ['/resource/name', '/resource/email'] },
  webhooks: {
    scheme: {
      kind: 'hmac',
      header: 'calendly-webhook-signature',
      signed: '{timestamp}.{body}',
      parts: { timestamp: 't', signature: 'v1' },
    },
    type: ['/event'],
    routingKey: '/created_by',
    objectId: '/payload/uri',
    objectVersion: '/created_at',
  },
};
