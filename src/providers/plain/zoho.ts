import type { PlainProvider } from '../../integrations';

export const zoho: PlainProvider = {
  key: 'zoho',
  name: 'Zoho',
  docs: 'https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html',
  checked: { at: '2026-11-27', against: '@auth/core, public source code' },
  apiBaseUrl: '{api}/',
  hosts: ['www.zohoapis.com'],
  learn: { api: '/api_domain' },
  oauth2: {
    authorizeUrl: 'https://accounts.zoho.com/oauth/v2/auth',
    tokenUrl: 'https://accounts.zoho.com/oauth/v2/token',
    scopes: ['AaaServer.profile.READ'],
    refresh: true,
    authorizeParams: { access_type: 'offline', prompt: 'consent' },
    scopeSeparator: ',',
  },
  account: { path: 'https://accounts.zoho.com/oauth/user/info', id: '/ZUID', name: ['/Display_Name', '/Email'] },
  credential: { in: 'header', name: 'authorization', prefix: 'Zoho-oauthtoken ' },
};
