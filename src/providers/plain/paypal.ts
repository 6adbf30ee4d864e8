import type { PlainProvider } from '../../integrations';

export const paypal: PlainProvider = {
  key: 'paypal',
  name: 'PayPal',
  docs: 'https://developer.paypal.com/api/rest/authentication/',
  checked: { at: '2026-11-28', against: 'public source code; its events with developer.paypal.com' },
  apiBaseUrl: 'https://api-m.paypal.com/',
  oauth2: { grant: 'client_credentials', tokenUrl: 'https://api-m.paypal.com/v1/oauth2/token', clientAuth: 'basic' },
  app: { by: 'client_credentials' },
  account: { id: 'token:/app_id', name: 'token:/app_id' },
  webhooks: {
    // https://developer.paypal.com/api/webhooks/v1/verify-webhook-signature-post; the secret is the webhook's id.
    scheme: {
      kind: 'call',
      path: 'v1/notifications/verify-webhook-signature',
      body: {
        auth_algo: '{header:paypal-auth-algo}',
        cert_url: '{header:paypal-cert-url}',
        transmission_id: '{header:paypal-transmission-id}',
        transmission_sig: '{header:paypal-transmission-sig}',
        transmission_time: '{header:paypal-transmission-time}',
        webhook_id: '{secret}',
        webhook_event: '{body}',
      },
      good: { at: '/verification_status', is: 'SUCCESS' },
      header: 'paypal-transmission-sig',
      timestamp: 'paypal-transmission-time',
      // It repeats a delivery for three days, and does not say that its time is a new one then.
      oldestS: 4 * 86_400,
      keyAddress: { header: 'paypal-cert-url', hosts: ['*.paypal.com', '*.sandbox.paypal.com'] },
    },
    eventId: '/id',
    type: ['/event_type'],
  },
};
