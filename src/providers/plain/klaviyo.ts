import type { PlainProvider } from '../../integrations';

export const klaviyo: PlainProvider = {
  key: 'klaviyo',
  name: 'Klaviyo',
  docs: 'https://developers.klaviyo.com/en/docs/authenticate_',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://a.klaviyo.com/api/',
  apiKey: { help: 'In Klaviyo under Settings, API keys: a private key.' },
  account: { path: 'accounts', id: '/data/0/id', name: ['/data/0/attributes/contact_information/organization_name', '/data/0/id'] },
  credential: { in: 'header', name: 'authorization', prefix: 'Klaviyo-API-Key ' },
  headers: { revision: '2024-10-15' },
  resources: [
    {
      name: 'profiles',
      label: 'Profiles',
      extent: 'whole',
      path: 'profiles',
      items: '/data',
      version: '/attributes/updated',
      query: { 'page[size]': '100' },
      page: { by: 'cursor', next: '/links/next' },
    },
  ],
};
