import { z } from 'zod';
import type { PlainOperation, PlainProvider, PlainResource } from '../../integrations';

// Objects, search and webhooks: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide, and the types of
// @hubspot/api-client 13.5.0 (crm/contacts), on 2026-11-28.

const shape = z.object({
  id: z.string(),
  properties: z.record(z.string(), z.string().nullable()),
  createdAt: z.string(),
  updatedAt: z.string(),
});

/** Without archived ones, which is what HubSpot calls deleted. A search gives the first 10,000 that it finds. */
function objects(name: string, label: string, changedBy: string): PlainResource {
  return {
    name,
    label,
    shape,
    extent: 'whole',
    scopes: [`crm.objects.${name}.read`],
    path: `crm/v3/objects/${name}`,
    items: '/results',
    version: '/updatedAt',
    deletedWhen: { at: '/archived', is: 'true' },
    query: { limit: '100' },
    page: { by: 'cursor', param: 'after', next: '/paging/next/after' },
    since: {
      param: '/filterGroups/0/filters/0/value',
      as: 'ms',
      most: { at: '/total', count: 10_000 },
      by: {
        path: `crm/v3/objects/${name}/search`,
        method: 'POST',
        query: {},
        body: {
          limit: 100,
          sorts: [{ propertyName: changedBy, direction: 'ASCENDING' }],
          filterGroups: [{ filters: [{ propertyName: changedBy, operator: 'GTE' }] }],
        },
        page: { by: 'cursor', param: 'after', in: 'body', next: '/paging/next/after' },
      },
    },
  };
}

const text = z.string().max(1_000).optional();
const contact = { firstname: text, lastname: text, phone: text, company: text };

/** HubSpot knows no key: what makes something new is not repeated. */
function creating(name: string, one: string, fields: PlainOperation['input'], more = ''): PlainOperation {
  return {
    name: `${name}.create`,
    title: `Create a ${one}`,
    description: `Adds a ${one}.${more}`,
    effect: 'write',
    makes: true,
    scopes: [`crm.objects.${name}.write`],
    method: 'POST',
    path: `crm/v3/objects/${name}`,
    body: { at: '/properties' },
    input: fields,
    output: z.object({ id: z.string() }),
  };
}

export const hubspot: PlainProvider = {
  key: 'hubspot',
  name: 'HubSpot',
  docs: 'https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/working-with-oauth',
  checked: { at: '2026-11-28', against: '@auth/core, @hubspot/api-client 13.5.0, public source code' },
  apiBaseUrl: 'https://api.hubapi.com/',
  oauth2: {
    authorizeUrl: 'https://app.hubspot.com/oauth/authorize',
    tokenUrl: 'https://api.hubapi.com/oauth/v1/token',
    scopes: ['oauth', ...['contacts', 'companies', 'deals'].flatMap((name) => [`crm.objects.${name}.read`, `crm.objects.${name}.write`])],
    refresh: true,
  },
  account: { path: 'account-info/v3/details', id: '/portalId', name: ['/uiDomain', '/portalId'] },
  limits: { account: { perSecond: 10, burst: 100, per: 'account' }, search: { perSecond: 4, burst: 4, per: 'account' } },
  endpoints: [{ method: 'POST', path: '/crm/v3/objects/:type/search', limits: ['search'], repeatable: true }],
  faults: [
    { status: 401, at: '/category', is: 'EXPIRED_AUTHENTICATION', code: 'needs_reauth', tokenExpired: true },
    { status: 403, at: '/category', is: 'MISSING_SCOPES', code: 'missing_scope' },
  ],
  webhooks: {
    scheme: {
      kind: 'hmac',
      header: 'x-hubspot-signature-v3',
      encoding: 'base64',
      signed: '{method}{url}{body}{timestamp}',
      timestamp: 'x-hubspot-request-timestamp',
      timestampAs: 'ms',
    },
    signedByClient: true,
    items: '',
    // An event's own id is not guaranteed to be unique.
    eventId: { all: ['/eventId', '/subscriptionId', '/occurredAt', '/objectId'] },
    type: ['/subscriptionType'],
    routingKey: '/portalId',
    objectId: '/objectId',
    objectVersion: '/occurredAt',
    records: [
      { types: ['contact.*'], resource: 'contacts', id: '/objectId', gone: ['contact.deletion', 'contact.privacyDeletion'] },
      { types: ['company.*'], resource: 'companies', id: '/objectId', gone: ['company.deletion'] },
      { types: ['deal.*'], resource: 'deals', id: '/objectId', gone: ['deal.deletion'] },
    ],
  },
  resources: [
    objects('contacts', 'Contacts', 'lastmodifieddate'),
    objects('companies', 'Companies', 'hs_lastmodifieddate'),
    objects('deals', 'Deals', 'hs_lastmodifieddate'),
  ],
  operations: [
    creating(
      'contacts',
      'contact',
      z.strictObject({ email: z.email().max(320), ...contact }),
      ' HubSpot refuses one whose e-mail address is taken.',
    ),
    creating('companies', 'company', z.strictObject({ name: z.string().min(1).max(1_000), domain: text })),
    creating(
      'deals',
      'deal',
      z.strictObject({ dealname: z.string().min(1).max(1_000), pipeline: text, dealstage: text, amount: text, closedate: text }),
    ),
    {
      name: 'contacts.update',
      title: 'Change a contact',
      description: 'Sets the fields that are given; others stay as they are.',
      effect: 'write',
      idempotent: true,
      scopes: ['crm.objects.contacts.write'],
      method: 'PATCH',
      path: 'crm/v3/objects/contacts/{contactId}',
      body: { at: '/properties' },
      input: z.strictObject({
        contactId: z
          .string()
          .regex(/^\d{1,30}$/)
          .meta({ examples: ['101'] }),
        email: z.email().max(320).optional(),
        ...contact,
      }),
      output: z.object({ id: z.string() }),
    },
  ],
};
