import type { PlainProvider } from '../../integrations';

export const battlenet: PlainProvider = {
  key: 'battlenet',
  name: 'Battle.net',
  docs: 'https://community.developer.battle.net/documentation/guides/using-oauth/authorization-code-flow',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://oauth.battle.net/',
  oauth2: {
    authorizeUrl: 'https://oauth.battle.net/authorize',
    tokenUrl: 'https://oauth.battle.net/token',
    scopes: ['openid'],
    clientAuth: 'basic',
  },
  account: { path: 'userinfo', id: '/sub', name: '/battletag' },
};
