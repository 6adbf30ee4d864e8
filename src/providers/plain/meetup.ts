import type { PlainProvider } from '../../integrations';

export const meetup: PlainProvider = {
  key: 'meetup',
  name: 'Meetup',
  docs: 'https://www.meetup.com/api/authentication/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://api.meetup.com/',
  oauth2: {
    authorizeUrl: 'https://secure.meetup.com/oauth2/authorize',
    tokenUrl: 'https://secure.meetup.com/oauth2/access',
    refresh: true,
  },
  account: { path: 'gql', id: '/data/self/id', name: '/data/self/name', method: 'POST', body: { query: '{ self { id name } }' } },
};
