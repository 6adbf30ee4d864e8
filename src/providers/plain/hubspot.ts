import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

export const hubspot: PlainProvider = {
  key: 'hubspot',
  name: 'HubSpot',
  docs: 'https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/working-with-oauth',
  checked: { at: '2026-11-27', against: '@auth/core, public source code' },
  apiBaseUrl: 'https://api.hubapi.com/',
  oauth2: {
    authorizeUrl: 'https://app.hubspot.com/oauth/authorize',
    tokenUrl: 'https://api.hubapi.com/oauth/v1/token',
    scopes: ['oauth', 'crm.objects.contacts.read', 'crm.objects.contacts.write'],
    refresh: true,
  },
  account: { path: 'account-info/v3/details', id: '/portalId', name: ['/uiDomain', '/portalId'] },
  limits: { account: { perSecond: 10, burst: 100, per: 'account' } },
  faults: [{ status: 401, at: '/category', is: 'EXPIRED_AUTHENTICATION', code: 'needs_reauth', tokenExpired: true }],
  webhooks: {
    scheme: {
      kind: 'hmac',
      header: 'x-hubspot-signature-v3',
      encoding: 'base64',
      signed: '{method}{url}{body}{timestamp}',
      timestamp: 'x-hubspot-request-timestamp',
      timestampAs: 'ms',
    },
    items: '',
    eventId: '/eventId',
    type: ['/subscriptionType'],
    routingKey: '/portalId',
    objectId: '/objectId',
    objectVersion: '/occurredAt',
    records: [{ types: ['contact.creation', 'contact.propertyChange', 'contact.deletion'], resource: 'contacts' }],
  },
  resources: [
    {
      name: 'contacts',
      label: 'Contacts',
      // Without archived ones, which is what HubSpot calls deleted.
      extent: 'whole',
      path: 'crm/v3/objects/contacts',
      items: '/results',
      version: '/updatedAt',
      deletedWhen: { at: '/archived', is: 'true' },
      query: { limit: '100' },
      page: { by: 'cursor', param: 'after', next: '/paging/next/after' },
    },
    {
      name: 'companies',
      label: 'Companies',
      // Without archived ones, which is what HubSpot calls deleted.
      extent: 'whole',
      path: 'crm/v3/objects/companies',
      items: '/results',
      version: '/updatedAt',
      query: { limit: '100' },
      page: { by: 'cursor', param: 'after', next: '/paging/next/after' },
    },
  ],
  operations: [
    {
      name: 'contacts.create',
      title: 'Create a contact',
      description: 'Adds a contact. HubSpot refuses one whose e-mail address is taken.',
      effect: 'write',
      makes: true,
      scopes: ['crm.objects.contacts.write'],
      method: 'POST',
      path: 'crm/v3/objects/contacts',
      body: { at: '/properties' },
      input: z.strictObject({
        email: z.email().max(320),
        firstname: z.string().max(1_000).optional(),
        lastname: z.string().max(1_000).optional(),
        phone: z.string().max(1_000).optional(),
        company: z.string().max(1_000).optional(),
      }),
      output: z.object({ id: z.string() }),
    },
  ],
};
