import type { PlainProvider } from '../../integrations';

export const atlassian: PlainProvider = {
  key: 'atlassian',
  name: 'Atlassian',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.atlassian.com/',
  oauth2: {
    authorizeUrl: 'https://auth.atlassian.com/authorize',
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    scopes: ['read:me', 'offline_access'],
    refresh: true,
    authorizeParams: { audience: 'api.atlassian.com', prompt: 'consent' },
  },
  account: { path: 'me', id: '/account_id', name: ['/name', '/email'] },
};
