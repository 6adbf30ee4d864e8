import type { PlainProvider } from '../../integrations';

export const eventbrite: PlainProvider = {
  key: 'eventbrite',
  name: 'Eventbrite',
  docs: 'https://www.eventbrite.com/platform/api#/introduction/authentication',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, @auth/core' },
  apiBaseUrl: 'https://www.eventbriteapi.com/v3/',
  oauth2: { authorizeUrl: 'https://www.eventbrite.com/oauth/authorize', tokenUrl: 'https://www.eventbrite.com/oauth/token' },
  account: { path: 'users/me/', id: '/id', name: '/name' },
  resources: [
    {
      name: 'organizations',
      label: 'Organizations',
      extent: 'whole',
      path: 'users/me/organizations/',
      items: '/organizations',
      page: { by: 'cursor', param: 'continuation', next: '/pagination/continuation', more: '/pagination/has_more_items' },
    },
  ],
};
