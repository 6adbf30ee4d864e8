import type { PlainProvider } from '../../integrations';

export const ebay: PlainProvider = {
  key: 'ebay',
  name: 'eBay',
  docs: 'https://developer.ebay.com/api-docs/static/oauth-authorization-code-grant.html',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.ebay.com/',
  oauth2: {
    authorizeUrl: 'https://auth.ebay.com/oauth2/authorize',
    tokenUrl: 'https://api.ebay.com/identity/v1/oauth2/token',
    scopes: ['https://api.ebay.com/oauth/api_scope/commerce.identity.readonly'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'https://apiz.ebay.com/commerce/identity/v1/user/', id: '/userId', name: '/username' },
};
