import type { PlainProvider } from '../../integrations';

export const quickbooks: PlainProvider = {
  key: 'quickbooks',
  name: 'QuickBooks Online',
  docs: 'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://quickbooks.api.intuit.com/v3/company/{realm}/',
  learn: { realm: 'callback:realmId' },
  oauth2: {
    authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
    tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    revokeUrl: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    scopes: ['com.intuit.quickbooks.accounting'],
    refresh: true,
    clientAuth: 'basic',
    revoke: { as: 'app', bodyAs: 'json', body: { token: '{refreshToken}' } },
  },
  account: { path: 'companyinfo/{realm}', id: 'callback:realmId', name: '/CompanyInfo/CompanyName' },
  webhooks: {
    scheme: { kind: 'hmac', header: 'intuit-signature', encoding: 'base64' },
    items: '/eventNotifications',
    type: ['=notification'],
    routingKey: '/realmId',
  },
};
