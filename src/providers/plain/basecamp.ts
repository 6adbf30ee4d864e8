import type { PlainProvider } from '../../integrations';

export const basecamp: PlainProvider = {
  key: 'basecamp',
  name: 'Basecamp',
  docs: 'https://github.com/basecamp/api/blob/master/sections/authentication.md',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://launchpad.37signals.com/',
  oauth2: {
    authorizeUrl: 'https://launchpad.37signals.com/authorization/new',
    tokenUrl: 'https://launchpad.37signals.com/authorization/token',
    authorizeParams: { type: 'web_server' },
    tokenParams: { type: 'web_server' },
  },
  account: { path: 'authorization.json', id: '/identity/id', name: '/identity/email_address' },
};
