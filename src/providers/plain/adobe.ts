import type { PlainProvider } from '../../integrations';

export const adobe: PlainProvider = {
  key: 'adobe',
  name: 'Adobe',
  docs: 'https://developer.adobe.com/developer-console/docs/guides/authentication/UserAuthentication/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://ims-na1.adobelogin.com/ims/',
  oauth2: {
    authorizeUrl: 'https://ims-na1.adobelogin.com/ims/authorize/v2',
    tokenUrl: 'https://ims-na1.adobelogin.com/ims/token/v3',
    scopes: ['openid', 'email'],
    scopeSeparator: ',',
  },
  account: { path: 'userinfo/v2', id: '/sub', name: ['/name', '/email'] },
};
