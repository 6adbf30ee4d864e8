import type { PlainProvider } from '../../integrations';

export const livechat: PlainProvider = {
  key: 'livechat',
  name: 'LiveChat',
  docs: 'https://platform.text.com/docs/authorization/authorizing-api-calls',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.livechatinc.com/',
  oauth2: { authorizeUrl: 'https://accounts.livechat.com/', tokenUrl: 'https://accounts.livechat.com/v2/token', refresh: true },
  account: { path: 'https://accounts.livechat.com/v2/accounts/me', id: '/account_id', name: ['/name', '/email'] },
};
