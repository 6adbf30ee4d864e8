import type { PlainProvider } from '../../integrations';

export const twilio: PlainProvider = {
  key: 'twilio',
  name: 'Twilio',
  docs: 'https://www.twilio.com/docs/usage/requests-to-twilio',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.twilio.com/2010-04-01/',
  ask: { accountSid: { label: 'Account SID', pattern: /AC[0-9a-f]{32}/, example: 'AC00000000000000000000000000000000' } },
  apiKey: { help: 'In the Twilio console: the Auth Token beside the Account SID.' },
  account: { path: 'Accounts/{accountSid}.json', id: '/sid', name: '/friendly_name' },
  credential: { in: 'basic', user: '{accountSid}', password: '{key}' },
};
