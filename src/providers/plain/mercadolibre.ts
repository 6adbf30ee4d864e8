import type { PlainProvider } from '../../integrations';

export const mercadolibre: PlainProvider = {
  key: 'mercadolibre',
  name: 'Mercado Libre',
  docs: 'https://developers.mercadolibre.com.ar/en_us/authentication-and-authorization',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://api.mercadolibre.com/',
  oauth2: {
    authorizeUrl: 'https://auth.mercadolibre.com/authorization',
    tokenUrl: 'https://api.mercadolibre.com/oauth/token',
    refresh: true,
    pkce: true,
  },
  account: { path: 'users/me', id: '/id', name: '/nickname' },
};
