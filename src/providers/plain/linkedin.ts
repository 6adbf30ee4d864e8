import type { PlainProvider } from '../../integrations';

export const linkedin: PlainProvider = {
  key: 'linkedin',
  name: 'LinkedIn',
  docs: 'https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.linkedin.com/',
  oauth2: {
    authorizeUrl: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
    scopes: ['openid', 'profile', 'email'],
    refresh: true,
  },
  account: { path: 'v2/userinfo', id: '/sub', name: ['/name', '/email'] },
};
