import type { PlainProvider } from '../../integrations';

export const surveymonkey: PlainProvider = {
  key: 'surveymonkey',
  name: 'SurveyMonkey',
  docs: 'https://api.surveymonkey.com/v3/docs#authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.surveymonkey.com/v3/',
  oauth2: { authorizeUrl: 'https://api.surveymonkey.com/oauth/authorize', tokenUrl: 'https://api.surveymonkey.com/oauth/token' },
  account: { path: 'users/me', id: '/id', name: ['/username', '/email'] },
  resources: [
    {
      name: 'surveys',
      label: 'Surveys',
      extent: 'whole',
      path: 'surveys',
      items: '/data',
      query: { per_page: '1000' },
      page: { by: 'cursor', next: '/links/next' },
      since: { param: 'start_modified_at', as: 'iso' },
    },
  ],
};
