import type { PlainProvider } from '../../integrations';

export const salesforce: PlainProvider = {
  key: 'salesforce',
  name: 'Salesforce',
  docs: 'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: '{instance}/services/data/v62.0/',
  hosts: ['*.salesforce.com', '*.my.salesforce.com', '*.sandbox.my.salesforce.com', '*.develop.my.salesforce.com'],
  learn: { instance: '/instance_url' },
  oauth2: {
    authorizeUrl: 'https://login.salesforce.com/services/oauth2/authorize',
    tokenUrl: 'https://login.salesforce.com/services/oauth2/token',
    revokeUrl: 'https://login.salesforce.com/services/oauth2/revoke',
    scopes: ['api', 'refresh_token', 'openid'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'https://login.salesforce.com/services/oauth2/userinfo', id: '/organization_id', name: '/preferred_username' },
  faults: [
    { status: 401, at: '/0/errorCode', is: 'INVALID_SESSION_ID', code: 'needs_reauth', tokenExpired: true },
    { status: 403, at: '/0/errorCode', is: 'REQUEST_LIMIT_EXCEEDED', code: 'provider_rate_limited' },
  ],
};
