import type { PlainProvider } from '../../integrations';

export const smartsheet: PlainProvider = {
  key: 'smartsheet',
  name: 'Smartsheet',
  docs: 'https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth-2.0-flow',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.smartsheet.com/2.0/',
  oauth2: {
    authorizeUrl: 'https://app.smartsheet.com/b/authorize',
    tokenUrl: 'https://api.smartsheet.com/2.0/token',
    scopes: ['READ_SHEETS'],
    refresh: true,
  },
  account: { path: 'users/me', id: '/id', name: '/email' },
  limits: { account: { perSecond: 5, burst: 50, per: 'account' } },
  webhooks: {
    scheme: { kind: 'hmac', header: 'smartsheet-hmac-sha256' },
    challenge: { method: 'POST', at: 'header:smartsheet-hook-challenge', reply: 'json', name: 'smartsheetHookResponse' },
    items: '/events',
    type: ['/objectType', '/eventType'],
    objectId: '/id',
  },
  resources: [
    {
      name: 'sheets',
      label: 'Sheets',
      extent: 'whole',
      path: 'sheets',
      items: '/data',
      version: '/modifiedAt',
      query: { pageSize: '100' },
      page: { by: 'number', param: 'page', size: 100 },
      since: { param: 'modifiedSince', as: 'iso' },
    },
  ],
};
