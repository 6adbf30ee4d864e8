import type { PlainProvider } from '../../integrations';

export const huggingface: PlainProvider = {
  key: 'huggingface',
  name: 'Hugging Face',
  docs: 'https://huggingface.co/docs/hub/oauth',
  checked: { at: '2026-11-27', against: '@auth/core, public source code' },
  apiBaseUrl: 'https://huggingface.co/api/',
  oauth2: {
    authorizeUrl: 'https://huggingface.co/oauth/authorize',
    tokenUrl: 'https://huggingface.co/oauth/token',
    scopes: ['openid', 'profile'],
    pkce: true,
  },
  account: { path: 'whoami-v2', id: '/id', name: '/name' },
  webhooks: {
    scheme: { kind: 'token', header: 'x-webhook-secret' },
    type: ['/event/scope', '/event/action'],
    routingKey: '/repo/owner/id',
  },
};
