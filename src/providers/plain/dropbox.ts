import type { PlainProvider } from '../../integrations';

export const dropbox: PlainProvider = {
  key: 'dropbox',
  name: 'Dropbox',
  docs: 'https://developers.dropbox.com/oauth-guide',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.dropboxapi.com/2/',
  oauth2: {
    authorizeUrl: 'https://www.dropbox.com/oauth2/authorize',
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
    refresh: true,
    authorizeParams: { token_access_type: 'offline' },
    revokeUrl: 'https://api.dropboxapi.com/2/auth/token/revoke',
    revoke: { as: 'token' },
  },
  // "App authentication": https://docs.rs/crate/dropbox-sdk/0.20.3/source/dropbox-api-spec/check.stone, which says what it is tried with.
  app: { by: 'basic' },
  endpoints: [{ method: 'POST', path: '/2/check/app', repeatable: true }],
  account: { path: 'users/get_current_account', id: '/account_id', name: '/name/display_name', method: 'POST' },
  faults: [{ status: 401, at: '/error/.tag', is: 'expired_access_token', code: 'needs_reauth', tokenExpired: true }],
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-dropbox-signature' },
    challenge: { method: 'GET', at: 'query:challenge', reply: 'echo' },
    items: '/list_folder/accounts',
    signedByClient: true,
    type: ['=list_folder'],
    routingKey: [''],
  },
};
