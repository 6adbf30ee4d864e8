import type { PlainProvider } from '../../integrations';

export const roblox: PlainProvider = {
  key: 'roblox',
  name: 'Roblox',
  docs: 'https://create.roblox.com/docs/cloud/auth/oauth2-overview',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://apis.roblox.com/',
  oauth2: {
    authorizeUrl: 'https://apis.roblox.com/oauth/v1/authorize',
    tokenUrl: 'https://apis.roblox.com/oauth/v1/token',
    scopes: ['openid', 'profile'],
    refresh: true,
    pkce: true,
    revokeUrl: 'https://apis.roblox.com/oauth/v1/token/revoke',
  },
  account: { path: 'oauth/v1/userinfo', id: '/sub', name: ['/preferred_username', '/name'] },
};
