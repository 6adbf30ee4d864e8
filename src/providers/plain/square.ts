import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

export const square: PlainProvider = {
  key: 'square',
  name: 'Square',
  docs: 'https://developer.squareup.com/docs/oauth-api/overview',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://connect.squareup.com/v2/',
  oauth2: {
    authorizeUrl: 'https://connect.squareup.com/oauth2/authorize',
    tokenUrl: 'https://connect.squareup.com/oauth2/token',
    scopes: ['MERCHANT_PROFILE_READ', 'CUSTOMERS_READ', 'CUSTOMERS_WRITE'],
    refresh: true,
    tokenBody: 'json',
  },
  account: { path: 'merchants/me', id: '/merchant/id', name: ['/merchant/business_name', '/merchant/id'] },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-square-hmacsha256-signature', encoding: 'base64', signed: '{url}{body}' },
    eventId: '/event_id',
    type: ['/type'],
    routingKey: '/merchant_id',
    objectId: '/data/id',
    objectVersion: '/created_at',
    ended: ['oauth.authorization.revoked'],
    records: [
      {
        types: ['customer.created', 'customer.updated', 'customer.deleted'],
        resource: 'customers',
        at: '/data/object/customer',
        gone: ['customer.deleted'],
      },
    ],
  },
  resources: [
    {
      name: 'customers',
      label: 'Customers',
      // https://developer.squareup.com/reference/square/customers-api/list-customers: profiles appear with a delay. Deletions come as events.
      extent: { filtered: 'What was made in the last minutes may be missing from the list.' },
      path: 'customers',
      items: '/customers',
      version: '/updated_at',
      query: { limit: '100' },
      page: { by: 'cursor', param: 'cursor', next: '/cursor' },
    },
  ],
  operations: [
    {
      name: 'customers.create',
      title: 'Create a customer',
      description: 'Adds a customer; it needs a name, a company, an e-mail address or a telephone number.',
      effect: 'write',
      makes: true,
      scopes: ['CUSTOMERS_WRITE'],
      // https://developer.squareup.com/docs/changelog/connect-logs/2018-12-05
      repeat: '/idempotency_key',
      method: 'POST',
      path: 'customers',
      input: z.strictObject({
        given_name: z.string().max(300).optional(),
        family_name: z.string().max(300).optional(),
        company_name: z.string().max(500).optional(),
        email_address: z.email().max(254).optional(),
        phone_number: z.string().max(17).optional(),
        note: z.string().max(1_000).optional(),
      }),
      output: z.object({ id: z.string() }),
      at: '/customer',
    },
  ],
};
