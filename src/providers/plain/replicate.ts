import type { PlainProvider } from '../../integrations';

export const replicate: PlainProvider = {
  key: 'replicate',
  name: 'Replicate',
  docs: 'https://replicate.com/docs/reference/http#authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.replicate.com/v1/',
  apiKey: { help: 'On replicate.com/account/api-tokens: an API token.' },
  account: { path: 'account', id: '/username', name: ['/name', '/username'] },
  webhooks: { scheme: { kind: 'standard' }, eventId: 'header:webhook-id', type: ['/status'], objectId: '/id' },
  resources: [
    {
      name: 'predictions',
      label: 'Predictions',
      extent: { window: 'Predictions are never deleted; old ones may be listed no longer.' },
      path: 'predictions',
      items: '/results',
      page: { by: 'cursor', next: '/next' },
    },
  ],
};
