import type { PlainProvider } from '../../integrations';

export const heroku: PlainProvider = {
  key: 'heroku',
  name: 'Heroku',
  docs: 'https://devcenter.heroku.com/articles/oauth',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.heroku.com/',
  oauth2: {
    authorizeUrl: 'https://id.heroku.com/oauth/authorize',
    tokenUrl: 'https://id.heroku.com/oauth/token',
    scopes: ['read'],
    refresh: true,
  },
  account: { path: 'account', id: '/id', name: '/email' },
  headers: { accept: 'application/vnd.heroku+json; version=3' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'heroku-webhook-hmac-sha256', encoding: 'base64' },
    eventId: '/id',
    type: ['/webhook_metadata/event/include', '/resource'],
    objectId: '/data/id',
  },
  resources: [{ name: 'apps', label: 'Apps', extent: 'whole', path: 'apps', page: { by: 'none' }, version: '/updated_at' }],
};
