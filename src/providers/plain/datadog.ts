import type { PlainProvider } from '../../integrations';

export const datadog: PlainProvider = {
  key: 'datadog',
  name: 'Datadog',
  docs: 'https://docs.datadoghq.com/api/latest/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.datadoghq.com/api/',
  ask: {
    appKey: {
      label: 'Application key',
      pattern: /[a-f0-9]{40}|[\w-]{8,200}/,
      example: '0123456789abcdef0123456789abcdef01234567',
      secret: true,
    },
  },
  apiKey: { help: 'In Datadog under Organization settings: an API key and an application key.' },
  credential: { in: 'header', name: 'dd-api-key', headers: { 'dd-application-key': '{appKey}' } },
  account: { path: 'v2/current_user', id: '/data/id', name: '/data/attributes/handle' },
};
