import type { PlainProvider } from '../../integrations';

export const mailchimp: PlainProvider = {
  key: 'mailchimp',
  name: 'Mailchimp',
  docs: 'https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core' },
  apiBaseUrl: 'https://login.mailchimp.com/oauth2/',
  oauth2: { authorizeUrl: 'https://login.mailchimp.com/oauth2/authorize', tokenUrl: 'https://login.mailchimp.com/oauth2/token' },
  account: { path: 'metadata', id: '/user_id', name: ['/accountname', '/login/email'] },
  credential: { in: 'header', name: 'authorization', prefix: 'OAuth ' },
};
