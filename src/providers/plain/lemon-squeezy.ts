import type { PlainProvider } from '../../integrations';

export const lemonSqueezy: PlainProvider = {
  key: 'lemon-squeezy',
  name: 'Lemon Squeezy',
  docs: 'https://docs.lemonsqueezy.com/api',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.lemonsqueezy.com/v1/',
  apiKey: { help: 'In Lemon Squeezy under Settings, API: an API key.' },
  account: { path: 'users/me', id: '/data/id', name: '/data/attributes/name' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-signature' },
    type: ['/meta/event_name'],
    objectId: '/data/id',
    objectVersion: '/data/attributes/updated_at',
  },
  resources: [
    {
      name: 'orders',
      label: 'Orders',
      extent: 'whole',
      path: 'orders',
      items: '/data',
      version: '/attributes/updated_at',
      query: { 'page[size]': '100' },
      page: { by: 'cursor', next: '/links/next' },
    },
  ],
};
