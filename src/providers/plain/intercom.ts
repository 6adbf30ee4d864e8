import type { PlainProvider } from '../../integrations';

export const intercom: PlainProvider = {
  key: 'intercom',
  name: 'Intercom',
  docs: 'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.intercom.io/',
  oauth2: { authorizeUrl: 'https://app.intercom.com/oauth', tokenUrl: 'https://api.intercom.io/auth/eagle/token' },
  account: { path: 'me', id: '/app/id_code', name: ['/app/name', '/email'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature', prefix: 'sha1=', algorithm: 'sha1' },
    signedByClient: true,
    eventId: '/id',
    type: ['/topic'],
    routingKey: '/app_id',
  },
};
