import type { PlainProvider } from '../../integrations';

export const notion: PlainProvider = {
  key: 'notion',
  name: 'Notion',
  docs: 'https://developers.notion.com/docs/authorization',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://api.notion.com/v1/',
  oauth2: {
    authorizeUrl: 'https://api.notion.com/v1/oauth/authorize',
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    clientAuth: 'basic',
    tokenBody: 'json',
    authorizeParams: { owner: 'user' },
  },
  headers: { 'notion-version': '2022-06-28' },
  account: { id: 'token:/workspace_id', name: 'token:/workspace_name' },
  limits: { account: { perSecond: 3, burst: 10, per: 'account' } },
  resources: [
    {
      name: 'users',
      label: 'People',
      // https://developers.notion.com/reference/get-users
      extent: { filtered: 'Notion leaves guests out.' },
      path: 'users',
      items: '/results',
      query: { page_size: '100' },
      page: { by: 'cursor', param: 'start_cursor', next: '/next_cursor', more: '/has_more' },
    },
  ],
};
