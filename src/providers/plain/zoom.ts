import type { PlainProvider } from '../../integrations';

export const zoom: PlainProvider = {
  key: 'zoom',
  name: 'Zoom',
  docs: 'https://developers.zoom.us/docs/integrations/oauth/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.zoom.us/v2/',
  oauth2: {
    authorizeUrl: 'https://zoom.us/oauth/authorize',
    tokenUrl: 'https://zoom.us/oauth/token',
    refresh: true,
    pkce: true,
    clientAuth: 'basic',
    revokeUrl: 'https://zoom.us/oauth/revoke',
  },
  account: { path: 'users/me', id: '/id', name: ['/display_name', '/email'], routingKey: '/account_id' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-zm-signature', prefix: 'v0=', signed: 'v0:{timestamp}:{body}', timestamp: 'x-zm-request-timestamp' },
    challenge: { method: 'POST', at: '/payload/plainToken', reply: 'hmac', name: 'encryptedToken' },
    type: ['/event'],
    routingKey: '/payload/account_id',
    objectId: '/payload/object/id',
    objectVersion: '/event_ts',
    // https://developers.zoom.us/docs/api/meetings/events/: of a meeting that recurs one occurrence may be deleted by itself.
    records: [
      {
        types: ['meeting.created', 'meeting.updated', 'meeting.deleted'],
        resource: 'meetings',
        id: '/payload/object/id',
        gone: ['meeting.deleted'],
        goneInPart: { at: '/payload/operation', is: 'single' },
      },
    ],
    ended: ['app_deauthorized'],
  },
  resources: [
    {
      name: 'meetings',
      label: 'Meetings',
      // https://developers.zoom.us/docs/api/meetings/: `type` is `scheduled` unless others are asked for.
      extent: { filtered: 'Expired meetings and those that were not scheduled are left out.' },
      path: 'users/me/meetings',
      items: '/meetings',
      query: { page_size: '300' },
      page: { by: 'cursor', param: 'next_page_token', next: '/next_page_token' },
    },
  ],
};
