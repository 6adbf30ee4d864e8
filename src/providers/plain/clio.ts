import type { PlainProvider } from '../../integrations';

export const clio: PlainProvider = {
  key: 'clio',
  name: 'Clio',
  docs: 'https://docs.developers.clio.com/api-docs/clio-manage/authorization/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://app.clio.com/api/v4/',
  oauth2: { authorizeUrl: 'https://app.clio.com/oauth/authorize', tokenUrl: 'https://app.clio.com/oauth/token', refresh: true },
  account: { path: 'users/who_am_i.json', id: '/data/id', name: ['/data/name', '/data/id'] },
  resources: [
    {
      name: 'contacts',
      label: 'Contacts',
      extent: 'whole',
      path: 'contacts.json',
      items: '/data',
      query: { limit: '200', order: 'id(asc)' },
      page: { by: 'cursor', next: '/meta/paging/next' },
      since: { param: 'updated_since', as: 'iso' },
    },
  ],
};
