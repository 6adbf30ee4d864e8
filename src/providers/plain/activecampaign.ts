import type { PlainProvider } from '../../integrations';

export const activecampaign: PlainProvider = {
  key: 'activecampaign',
  name: 'ActiveCampaign',
  docs: 'https://developers.activecampaign.com/reference/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://{account}.api-us1.com/api/3/',
  hosts: ['*.api-us1.com'],
  ask: { account: { label: 'Account before .api-us1.com', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  apiKey: { help: 'In ActiveCampaign under Settings, Developer: the key.' },
  account: { path: 'users/me', id: '/user/id', name: ['/user/username', '/user/email'] },
  credential: { in: 'header', name: 'api-token' },
  resources: [
    {
      name: 'contacts',
      label: 'Contacts',
      extent: 'whole',
      path: 'contacts',
      items: '/contacts',
      version: '/udate',
      page: { by: 'offset', param: 'offset', size: 100, sizeParam: 'limit' },
    },
  ],
};
