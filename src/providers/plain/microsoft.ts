import type { PlainProvider } from '../../integrations';

export const microsoft: PlainProvider = {
  key: 'microsoft',
  name: 'Microsoft',
  docs: 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://graph.microsoft.com/v1.0/',
  oauth2: {
    authorizeUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scopes: ['User.Read', 'offline_access'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'me', id: '/id', name: ['/userPrincipalName', '/displayName'] },
  faults: [{ status: 401, at: '/error/code', is: 'InvalidAuthenticationToken', code: 'needs_reauth', tokenExpired: true }],
};
