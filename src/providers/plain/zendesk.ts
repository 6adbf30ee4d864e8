import { z } from 'zod';
import type { PlainProvider, PlainResource } from '../../integrations';

const object = { id: z.union([z.number(), z.string()]), created_at: z.string(), updated_at: z.string() };
const ticketShape = z.object({ ...object, subject: z.string().nullish(), status: z.string() });
const userShape = z.object({ ...object, name: z.string(), email: z.string().nullish(), active: z.boolean() });

/** Everything since the beginning, or since a time; Zendesk gives what is a minute old. */
function exported(name: string, label: string, shape: z.ZodObject, deletedWhen: PlainResource['deletedWhen'] & object): PlainResource {
  return {
    name,
    label,
    shape,
    extent: 'whole',
    path: `incremental/${name}/cursor.json`,
    items: `/${name}`,
    version: '/updated_at',
    deletedWhen,
    query: { start_time: '0', per_page: '1000' },
    page: { by: 'cursor', next: '/after_url', done: '/end_of_stream' },
    since: { param: 'start_time', as: 's' },
  };
}

export const zendesk: PlainProvider = {
  key: 'zendesk',
  name: 'Zendesk',
  docs: 'https://developer.zendesk.com/documentation/api-basics/authentication/oauth-vs-api-tokens/',
  checked: { at: '2026-11-28', against: 'grant 5.4.24, developer.zendesk.com' },
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
  limits: { account: { perSecond: 6, burst: 100, per: 'account' }, exports: { perSecond: 0.16, burst: 10, per: 'account' } },
  endpoints: [{ method: 'GET', path: '/api/v2/incremental/:what/cursor.json', limits: ['exports'] }],
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
    records: [
      {
        types: ['zen:event-type:ticket.*'],
        resource: 'tickets',
        id: '/detail/id',
        gone: ['zen:event-type:ticket.soft_deleted', 'zen:event-type:ticket.permanently_deleted', 'zen:event-type:ticket.marked_as_spam'],
      },
      { types: ['zen:event-type:user.*'], resource: 'users', id: '/detail/id', gone: ['zen:event-type:user.deleted'] },
    ],
  },
  // https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/: archived ones too, and deleted ones as such.
  resources: [
    exported('tickets', 'Tickets', ticketShape, { at: '/status', is: 'deleted' }),
    exported('users', 'Users', userShape, { at: '/active', is: 'false' }),
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
    {
      name: 'tickets.update',
      title: 'Change a ticket',
      description: 'Sets what is given, and adds a comment where there is one; the rest stays as it is.',
      effect: 'write',
      scopes: ['write'],
      method: 'PUT',
      path: 'tickets/{ticket_id}',
      body: { at: '/ticket' },
      input: z.strictObject({
        ticket_id: z.int().positive(),
        status: z.enum(['open', 'pending', 'hold', 'solved']).optional(),
        priority: z.enum(['urgent', 'high', 'normal', 'low']).optional(),
        comment: z.strictObject({ body: z.string().min(1).max(65_536), public: z.boolean().optional() }).optional(),
      }),
      output: z.object({ id: z.number(), status: z.string() }),
      at: '/ticket',
    },
  ],
};
