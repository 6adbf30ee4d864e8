import type { PlainProvider } from '../../integrations';

export const opsgenie: PlainProvider = {
  key: 'opsgenie',
  name: 'Opsgenie',
  docs: 'https://docs.opsgenie.com/docs/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.opsgenie.com/v2/',
  apiKey: { help: 'In Opsgenie under Settings, API key management: an API key.' },
  account: { path: 'account', id: '/data/name', name: '/data/name' },
  credential: { in: 'header', name: 'authorization', prefix: 'GenieKey ' },
};
