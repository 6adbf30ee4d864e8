import type { PlainProvider } from '../../integrations';

export const clickup: PlainProvider = {
  key: 'clickup',
  name: 'ClickUp',
  docs: 'https://developer.clickup.com/docs/authentication',
  checked: { at: '2026-11-27', against: '@auth/core' },
  apiBaseUrl: 'https://api.clickup.com/api/v2/',
  oauth2: { authorizeUrl: 'https://app.clickup.com/api', tokenUrl: 'https://api.clickup.com/api/v2/oauth/token' },
  account: { path: 'user', id: '/user/id', name: '/user/username' },
  limits: { account: { perSecond: 1.6, burst: 100, per: 'account' } },
  webhooks: { scheme: { kind: 'hmac', header: 'x-signature' }, type: ['/event'], objectId: '/task_id' },
  resources: [{ name: 'teams', label: 'Workspaces', extent: 'whole', path: 'team', items: '/teams', page: { by: 'none' } }],
};
