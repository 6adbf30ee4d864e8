import type { PlainProvider } from '../../integrations';

export const lichess: PlainProvider = {
  key: 'lichess',
  name: 'Lichess',
  docs: 'https://lichess.org/api#section/Introduction/Authentication',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://lichess.org/api/',
  oauth2: { authorizeUrl: 'https://lichess.org/oauth', tokenUrl: 'https://lichess.org/api/token', scopes: ['preference:read'], pkce: true },
  account: { path: 'account', id: '/id', name: '/username' },
};
