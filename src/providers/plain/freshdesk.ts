import type { PlainProvider } from '../../integrations';

export const freshdesk: PlainProvider = {
  key: 'freshdesk',
  name: 'Freshdesk',
  docs: 'https://developers.freshdesk.com/api/#authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://{domain}.freshdesk.com/api/v2/',
  hosts: ['*.freshdesk.com'],
  ask: { domain: { label: 'Domain before .freshdesk.com', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  apiKey: { help: 'In Freshdesk under Profile settings: Your API Key.' },
  credential: { in: 'basic', user: '{key}', password: 'X' },
  account: { path: 'agents/me', id: '/id', name: '/contact/email' },
  resources: [
    {
      name: 'tickets',
      label: 'Tickets',
      extent: { window: 'Freshdesk lists the tickets of the last 30 days.' },
      path: 'tickets',
      version: '/updated_at',
      query: { order_by: 'updated_at', order_type: 'asc' },
      page: { by: 'link' },
      since: { param: 'updated_since', as: 'iso' },
    },
  ],
};
