import type { PlainProvider } from '../../integrations';

export const mastodonSocial: PlainProvider = {
  key: 'mastodon-social',
  name: 'Mastodon (mastodon.social)',
  docs: 'https://docs.joinmastodon.org/client/token/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://mastodon.social/api/v1/',
  oauth2: {
    authorizeUrl: 'https://mastodon.social/oauth/authorize',
    tokenUrl: 'https://mastodon.social/oauth/token',
    scopes: ['read'],
    revokeUrl: 'https://mastodon.social/oauth/revoke',
  },
  account: { path: 'accounts/verify_credentials', id: '/id', name: '/acct' },
  resources: [
    {
      name: 'notifications',
      label: 'Notifications',
      extent: { filtered: 'Mastodon leaves out the notifications that the person has filtered.' },
      path: 'notifications',
      page: { by: 'link' },
      version: '/created_at',
      query: { limit: '80' },
    },
  ],
};
