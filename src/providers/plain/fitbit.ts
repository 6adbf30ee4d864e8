import type { PlainProvider } from '../../integrations';

export const fitbit: PlainProvider = {
  key: 'fitbit',
  name: 'Fitbit',
  docs: 'https://dev.fitbit.com/build/reference/web-api/developer-guide/authorization/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.fitbit.com/1/',
  oauth2: {
    authorizeUrl: 'https://www.fitbit.com/oauth2/authorize',
    tokenUrl: 'https://api.fitbit.com/oauth2/token',
    scopes: ['profile', 'activity'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
    revokeUrl: 'https://api.fitbit.com/oauth2/revoke',
  },
  account: { path: 'user/-/profile.json', id: '/user/encodedId', name: '/user/displayName' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-fitbit-signature', encoding: 'base64', algorithm: 'sha1' },
    items: '',
    type: ['/collectionType'],
    routingKey: '/ownerId',
  },
};
