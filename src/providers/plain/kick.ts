import type { PlainProvider } from '../../integrations';

export const kick: PlainProvider = {
  key: 'kick',
  name: 'Kick',
  docs: 'https://docs.kick.com/getting-started/generating-tokens-oauth2-flow',
  checked: { at: '2026-11-27', against: 'arctic, public source code' },
  apiBaseUrl: 'https://api.kick.com/public/v1/',
  oauth2: {
    authorizeUrl: 'https://id.kick.com/oauth/authorize',
    tokenUrl: 'https://id.kick.com/oauth/token',
    scopes: ['user:read'],
    refresh: true,
    pkce: true,
    revokeUrl: 'https://id.kick.com/oauth/revoke',
  },
  account: { path: 'users', id: '/data/0/user_id', name: '/data/0/name' },
};
