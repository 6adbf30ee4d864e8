import type { PlainProvider } from '../../integrations';

export const typeform: PlainProvider = {
  key: 'typeform',
  name: 'Typeform',
  docs: 'https://www.typeform.com/developers/get-started/applications/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.typeform.com/',
  oauth2: {
    authorizeUrl: 'https://api.typeform.com/oauth/authorize',
    tokenUrl: 'https://api.typeform.com/oauth/token',
    scopes: ['accounts:read', 'forms:read', 'responses:read'],
  },
  account: { path: 'me', id: ['/user_id', '/alias'], name: ['/alias', '/email'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'typeform-signature', prefix: 'sha256=', encoding: 'base64' },
    eventId: '/event_id',
    type: ['/event_type'],
    routingKey: '/form_response/form_id',
  },
  resources: [
    {
      name: 'forms',
      label: 'Forms',
      extent: 'whole',
      path: 'forms',
      items: '/items',
      version: '/last_updated_at',
      query: { page_size: '200' },
      page: { by: 'number', param: 'page', size: 200 },
    },
  ],
};
