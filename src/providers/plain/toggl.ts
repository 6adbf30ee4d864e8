import type { PlainProvider } from '../../integrations';

export const toggl: PlainProvider = {
  key: 'toggl',
  name: 'Toggl Track',
  docs: 'https://engineering.toggl.com/docs/authentication/',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.track.toggl.com/api/v9/',
  apiKey: { help: 'In Toggl Track at the end of the profile page: the API token.' },
  account: { path: 'me', id: '/id', name: ['/fullname', '/email'] },
  credential: { in: 'basic', user: '{key}', password: 'api_token' },
  resources: [
    {
      name: 'projects',
      label: 'Projects',
      // Archived ones too, by `include_archived`.
      extent: 'whole',
      path: 'me/projects',
      query: { include_archived: 'true' },
      version: '/at',
      page: { by: 'none' },
    },
  ],
};
