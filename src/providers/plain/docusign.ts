import type { PlainProvider } from '../../integrations';

export const docusign: PlainProvider = {
  key: 'docusign',
  name: 'Docusign',
  docs: 'https://developers.docusign.com/platform/auth/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://account.docusign.com/',
  oauth2: {
    authorizeUrl: 'https://account.docusign.com/oauth/auth',
    tokenUrl: 'https://account.docusign.com/oauth/token',
    scopes: ['signature'],
    refresh: true,
    clientAuth: 'basic',
  },
  account: { path: 'oauth/userinfo', id: '/sub', name: ['/name', '/email'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-docusign-signature-1', encoding: 'base64' },
    type: ['/event'],
    routingKey: '/data/userId',
    objectId: '/data/envelopeId',
    objectVersion: '/generatedDateTime',
  },
};
