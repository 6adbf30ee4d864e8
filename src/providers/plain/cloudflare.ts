import type { PlainProvider } from '../../integrations';

export const cloudflare: PlainProvider = {
  key: 'cloudflare',
  name: 'Cloudflare',
  docs: 'https://developers.cloudflare.com/fundamentals/api/get-started/create-token/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.cloudflare.com/client/v4/',
  apiKey: { help: 'In Cloudflare under My profile, API tokens: a token that may read the user.' },
  account: { path: 'user', id: '/result/id', name: '/result/email' },
  resources: [
    {
      name: 'zones',
      label: 'Zones',
      extent: 'whole',
      path: 'zones',
      items: '/result',
      version: '/modified_on',
      page: { by: 'number', param: 'page', size: 50, sizeParam: 'per_page' },
    },
  ],
};
