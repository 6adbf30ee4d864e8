import type { PlainProvider } from '../../integrations';

export const naver: PlainProvider = {
  key: 'naver',
  name: 'Naver',
  docs: 'https://developers.naver.com/docs/login/api/api.md',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://openapi.naver.com/v1/',
  oauth2: { authorizeUrl: 'https://nid.naver.com/oauth2.0/authorize', tokenUrl: 'https://nid.naver.com/oauth2.0/token', refresh: true },
  account: { path: 'nid/me', id: '/response/id', name: ['/response/name', '/response/email'] },
};
