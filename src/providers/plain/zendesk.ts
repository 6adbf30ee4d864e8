import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

export const zendesk: PlainProvider = {
  key: 'zendesk',
  name: 'Zendesk',
  docs: 'https://developer.zendesk.com/documentation/api-basics/authentication/oauth-vs-api-tokens/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://{subdomain}.zendesk.com/api/v2/',
  hosts: ['*.zendesk.com'],
  ask: { subdomain: { label: 'Subdomain of zendesk.com', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  oauth2: {
    authorizeUrl: 'https://{subdomain}.zendesk.com/oauth/authorizations/new',
    tokenUrl: 'https://{subdomain}.zendesk.com/oauth/tokens',
    scopes: ['read', 'write'],
    tokenBody: 'json',
  },
  account: { path: 'users/me.json', id: '/user/id', name: '/user/email' },
  limits: { account: { perSecond: 6, burst: 100, per: 'account' } },
  webhooks: {
    scheme: {
      kind: 'hmac',
      header: 'x-zendesk-webhook-signature',
      encoding: 'base64',
      signed: '{timestamp}{body}',
      timestamp: 'x-zendesk-webhook-signature-timestamp',
      timestampAs: 'iso',
    },
    eventId: '/id',
    type: ['/type'],
    routingKey: '/account_id',
    objectId: '/detail/id',
    objectVersion: '/time',
    records: [{ types: ['zen:event-type:ticket.*'], resource: 'tickets' }],
  },
  resources: [
    {
      name: 'tickets',
      label: 'Tickets',
      // https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#list-tickets: those closed for 120 days.
      extent: { filtered: 'Archived tickets are left out.' },
      path: 'tickets.json',
      items: '/tickets',
      version: '/updated_at',
      query: { 'page[size]': '100' },
      page: { by: 'cursor', next: '/links/next', more: '/meta/has_more' },
    },
    {
      name: 'users',
      label: 'Users',
      extent: 'whole',
      path: 'users.json',
      items: '/users',
      version: '/updated_at',
      query: { 'page[size]': '100' },
      page: { by: 'cursor', next: '/links/next', more: '/meta/has_more' },
    },
  ],
  operations: [
    {
      name: 'tickets.create',
      title: 'Create a ticket',
      description: 'Opens a ticket, asked for by the person who connected.',
      effect: 'write',
      makes: true,
      scopes: ['write'],
      // https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency
      repeat: 'header:Idempotency-Key',
      method: 'POST',
      path: 'tickets.json',
      body: { at: '/ticket' },
      input: z.strictObject({
        subject: z.string().min(1).max(150),
        comment: z.strictObject({ body: z.string().min(1).max(65_536), public: z.boolean().optional() }),
        priority: z.enum(['urgent', 'high', 'normal', 'low']).optional(),
        tags: z.array(z.string().min(1).max(80)).max(100).optional(),
      }),
      output: z.object({ id: z.number(), url: z.string() }),
      at: '/ticket',
    },
  ],
};
