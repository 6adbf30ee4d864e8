import type { PlainProvider } from '../../integrations';

export const autodesk: PlainProvider = {
  key: 'autodesk',
  name: 'Autodesk',
  docs: 'https://aps.autodesk.com/en/docs/oauth/v2/developers_guide/overview/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://developer.api.autodesk.com/',
  oauth2: {
    authorizeUrl: 'https://developer.api.autodesk.com/authentication/v2/authorize',
    tokenUrl: 'https://developer.api.autodesk.com/authentication/v2/token',
    scopes: ['data:read', 'openid'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
    revokeUrl: 'https://developer.api.autodesk.com/authentication/v2/revoke',
  },
  account: { path: 'https://api.userprofile.autodesk.com/userinfo', id: '/sub', name: ['/name', '/email'] },
};
