import type { PlainProvider } from '../../integrations';

export const mercadopago: PlainProvider = {
  key: 'mercadopago',
  name: 'Mercado Pago',
  docs: 'https://www.mercadopago.com.ar/developers/en/docs/security/oauth',
  checked: { at: '2026-11-27', against: 'arctic' },
  apiBaseUrl: 'https://api.mercadopago.com/',
  oauth2: {
    authorizeUrl: 'https://auth.mercadopago.com/authorization',
    tokenUrl: 'https://api.mercadopago.com/oauth/token',
    refresh: true,
    pkce: true,
  },
  account: { path: 'users/me', id: '/id', name: ['/nickname', '/email'] },
};
