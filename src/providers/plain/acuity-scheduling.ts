import type { PlainProvider } from '../../integrations';

export const acuityScheduling: PlainProvider = {
  key: 'acuity-scheduling',
  name: 'Acuity Scheduling',
  docs: 'https://developers.acuityscheduling.com/docs/oauth2',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://acuityscheduling.com/api/v1/',
  oauth2: {
    authorizeUrl: 'https://acuityscheduling.com/oauth2/authorize',
    tokenUrl: 'https://acuityscheduling.com/oauth2/token',
    scopes: ['api-v1'],
  },
  account: { path: 'me', id: '/id', name: ['/name', '/email'] },
  webhooks: { scheme: { kind: 'hmac', header: 'x-acuity-signature', encoding: 'base64' }, type: ['/action'], objectId: '/id' },
};
