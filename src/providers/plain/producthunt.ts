import type { PlainProvider } from '../../integrations';

export const producthunt: PlainProvider = {
  key: 'producthunt',
  name: 'Product Hunt',
  docs: 'https://api.producthunt.com/v2/docs/oauth_user_authentication/oauth_authorize_ask_for_access_grant_code_on_behalf_of_the_user',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.producthunt.com/v2/',
  oauth2: {
    authorizeUrl: 'https://api.producthunt.com/v2/oauth/authorize',
    tokenUrl: 'https://api.producthunt.com/v2/oauth/token',
    scopes: ['public', 'private'],
  },
  account: {
    path: 'api/graphql',
    id: '/data/viewer/user/id',
    name: '/data/viewer/user/name',
    method: 'POST',
    body: { query: '{ viewer { user { id name } } }' },
  },
};
