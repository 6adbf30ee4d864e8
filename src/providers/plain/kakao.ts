import type { PlainProvider } from '../../integrations';

export const kakao: PlainProvider = {
  key: 'kakao',
  name: 'Kakao',
  docs: 'https://developers.kakao.com/docs/latest/en/kakaologin/rest-api',
  checked: { at: '2026-11-27', against: 'arctic, @auth/core' },
  apiBaseUrl: 'https://kapi.kakao.com/',
  oauth2: { authorizeUrl: 'https://kauth.kakao.com/oauth/authorize', tokenUrl: 'https://kauth.kakao.com/oauth/token', refresh: true },
  account: { path: 'v2/user/me', id: '/id', name: ['/properties/nickname', '/id'] },
};
