import type { PlainProvider } from '../../integrations';

export const todoist: PlainProvider = {
  key: 'todoist',
  name: 'Todoist',
  docs: 'https://developer.todoist.com/api/v1/#tag/Authorization',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core, public source code' },
  apiBaseUrl: 'https://api.todoist.com/api/v1/',
  oauth2: {
    authorizeUrl: 'https://todoist.com/oauth/authorize',
    tokenUrl: 'https://todoist.com/oauth/access_token',
    scopes: ['data:read'],
    scopeSeparator: ',',
  },
  account: { path: 'user', id: '/id', name: ['/full_name', '/email'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-todoist-hmac-sha256', encoding: 'base64' },
    signedByClient: true,
    eventId: 'header:x-todoist-delivery-id',
    type: ['/event_name'],
    routingKey: '/user_id',
    records: [
      { types: ['item:*'], resource: 'tasks', at: '/event_data', gone: ['item:deleted'] },
      { types: ['project:*'], resource: 'projects', at: '/event_data', gone: ['project:deleted'] },
    ],
  },
  resources: [
    {
      name: 'tasks',
      label: 'Tasks',
      extent: { filtered: 'Completed tasks are left out.' },
      // Of a project that is deleted Todoist tells alone.
      partOf: { resource: 'projects', at: '/project_id' },
      path: 'tasks',
      items: '/results',
      version: '/updated_at',
      query: { limit: '200' },
      page: { by: 'cursor', param: 'cursor', next: '/next_cursor' },
    },
    {
      name: 'projects',
      label: 'Projects',
      extent: { filtered: 'Archived projects are left out.' },
      path: 'projects',
      items: '/results',
      version: '/updated_at',
      query: { limit: '200' },
      page: { by: 'cursor', param: 'cursor', next: '/next_cursor' },
    },
  ],
};
