import type { PlainProvider } from '../../integrations';

export const yandex: PlainProvider = {
  key: 'yandex',
  name: 'Yandex',
  docs: 'https://yandex.com/dev/id/doc/en/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://login.yandex.ru/',
  oauth2: {
    authorizeUrl: 'https://oauth.yandex.com/authorize',
    tokenUrl: 'https://oauth.yandex.com/token',
    scopes: ['login:info'],
    refresh: true,
  },
  account: { path: 'info', id: '/id', name: ['/display_name', '/login'] },
  credential: { in: 'header', name: 'authorization', prefix: 'OAuth ' },
};
