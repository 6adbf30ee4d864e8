import type { PlainProvider } from '../../integrations';

export const discord: PlainProvider = {
  key: 'discord',
  name: 'Discord',
  docs: 'https://discord.com/developers/docs/topics/oauth2',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://discord.com/api/v10/',
  oauth2: {
    authorizeUrl: 'https://discord.com/oauth2/authorize',
    tokenUrl: 'https://discord.com/api/oauth2/token',
    scopes: ['identify', 'guilds'],
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
    revokeUrl: 'https://discord.com/api/oauth2/token/revoke',
  },
  account: { path: 'users/@me', id: '/id', name: ['/global_name', '/username'] },
  webhooks: {
    scheme: { kind: 'ed25519', header: 'x-signature-ed25519', timestamp: 'x-signature-timestamp' },
    type: ['/event/type', '/type'],
    objectId: '/event/data/user/id',
    routingKey: '/event/data/user/id',
  },
  resources: [
    {
      name: 'guilds',
      label: 'Servers',
      // Nobody is in more than 200 servers.
      extent: 'whole',
      path: 'users/@me/guilds',
      query: { limit: '200' },
      page: { by: 'none' },
    },
  ],
};
