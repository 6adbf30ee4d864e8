import { z } from 'zod';
import type { PlainProvider, PlainResource } from '../../integrations';

// https://learn.microsoft.com/en-us/graph/api/user-list-messages, user-list-events, user-list-contacts, user-sendmail and user-post-events,
// and the types of @microsoft/microsoft-graph-types 2.43.1, on 2026-11-28.

const item = { id: z.string(), lastModifiedDateTime: z.string() };
const mailbox = z.object({ name: z.string().nullish(), address: z.string().nullish() });
const moment = z.object({ dateTime: z.string(), timeZone: z.string() });
const SHAPES = {
  messages: z.object({
    ...item,
    subject: z.string().nullish(),
    from: z.object({ emailAddress: mailbox }).nullish(),
    receivedDateTime: z.string().nullish(),
    isRead: z.boolean().nullish(),
  }),
  events: z.object({ ...item, subject: z.string().nullish(), start: moment, end: moment, isCancelled: z.boolean().nullish() }),
  contacts: z.object({ ...item, displayName: z.string().nullish(), emailAddresses: z.array(mailbox).nullish() }),
};

/** Everything of the mailbox, what lies in its folder of deleted things among it. */
function list(name: keyof typeof SHAPES, label: string, scope: string): PlainResource {
  return {
    name,
    label,
    shape: SHAPES[name],
    extent: 'whole',
    scopes: [scope],
    widerScopes: { [scope]: [scope.replace('.Read', '.ReadWrite')] },
    path: `me/${name}`,
    items: '/value',
    version: '/lastModifiedDateTime',
    query: { $top: '100' },
    page: { by: 'cursor', next: '/@odata.nextLink' },
    watch: {
      // https://learn.microsoft.com/en-us/graph/api/subscription-post-subscriptions; an Outlook subscription lasts less than seven days.
      create: {
        method: 'POST',
        path: 'subscriptions',
        body: {
          changeType: 'created,updated,deleted',
          // Each has an address of its own: those of one address are told of together, whoever they belong to.
          notificationUrl: '{address}?watch={channel}',
          lifecycleNotificationUrl: '{address}?watch={channel}',
          resource: `me/${name}`,
          expirationDateTime: '{expires}',
          clientState: '{channel}.{token}',
        },
      },
      id: '/id',
      expires: '/expirationDateTime',
      // Not confirmed: a copy of Microsoft's page `subscription` says 4,230 minutes for Outlook, others' newer code 10,080. It is below both.
      hours: 70,
      renewBeforeHours: 24,
      renew: { method: 'PATCH', path: 'subscriptions/{id}', body: { expirationDateTime: '{expires}' } },
      stop: { method: 'DELETE', path: 'subscriptions/{id}' },
    },
    since: { param: '$filter', as: 'iso', text: 'lastModifiedDateTime ge {since}', query: { $orderby: 'lastModifiedDateTime asc' } },
  };
}

const address = z.strictObject({ emailAddress: z.strictObject({ address: z.email().max(320), name: z.string().max(255).optional() }) });
const body = z.strictObject({ contentType: z.enum(['text', 'html']), content: z.string().max(1_000_000) });
const when = z.strictObject({
  dateTime: z.iso.datetime({ local: true }).meta({ examples: ['2027-01-01T10:00:00'] }),
  timeZone: z.string().min(1).max(100),
});

export const microsoft: PlainProvider = {
  key: 'microsoft',
  name: 'Microsoft',
  docs: 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
  checked: { at: '2026-11-28', against: 'grant 5.4.24, arctic, @microsoft/microsoft-graph-types 2.43.1' },
  apiBaseUrl: 'https://graph.microsoft.com/v1.0/',
  oauth2: {
    authorizeUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scopes: ['User.Read', 'offline_access', 'Mail.Read', 'Mail.Send', 'Calendars.ReadWrite', 'Contacts.Read'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'me', id: '/id', name: ['/userPrincipalName', '/displayName'] },
  // https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits: 10,000 in ten minutes of an app and a mailbox.
  limits: { account: { perSecond: 15, burst: 100, per: 'account' } },
  faults: [{ status: 401, at: '/error/code', is: 'InvalidAuthenticationToken', code: 'needs_reauth', tokenExpired: true }],
  // https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks and change-notifications-lifecycle-events
  webhooks: {
    scheme: { kind: 'watch', token: '/clientState' },
    challenge: { method: 'POST', at: 'query:validationToken', reply: 'echo' },
    items: '/value',
    eventId: '/id',
    type: [['/lifecycleEvent', 'watch:resource'], '/changeType'],
    watches: { renew: ['reauthorizationRequired*'], ended: ['subscriptionRemoved*'], missed: ['missed*'] },
    records: ['messages', 'events', 'contacts'].map((resource) => ({
      types: [`${resource}.*`],
      resource,
      id: '/resourceData/id',
      gone: [`${resource}.deleted`],
    })),
  },
  resources: [
    list('messages', 'Mail', 'Mail.Read'),
    list('events', 'Calendar events', 'Calendars.Read'),
    list('contacts', 'Contacts', 'Contacts.Read'),
  ],
  operations: [
    {
      name: 'emails.send',
      title: 'Send an e-mail',
      description: 'Sends a mail in the person’s name; it lies among what was sent then.',
      effect: 'write',
      scopes: ['Mail.Send'],
      method: 'POST',
      path: 'me/sendMail',
      body: { at: '/message' },
      input: z.strictObject({
        subject: z.string().min(1).max(255),
        body,
        toRecipients: z.array(address).min(1).max(500),
        ccRecipients: z.array(address).max(500).optional(),
      }),
      output: z.object({}),
    },
    {
      name: 'events.create',
      title: 'Create a calendar event',
      description: 'Adds an event to the person’s calendar, and invites whoever attends.',
      effect: 'write',
      makes: true,
      scopes: ['Calendars.ReadWrite'],
      // A second one with the same id is answered with the first.
      repeat: '/transactionId',
      method: 'POST',
      path: 'me/events',
      input: z.strictObject({
        subject: z.string().min(1).max(255),
        start: when,
        end: when,
        body: body.optional(),
        location: z.strictObject({ displayName: z.string().max(255) }).optional(),
        attendees: z.array(address).max(500).optional(),
      }),
      output: z.object({ id: z.string(), webLink: z.string() }),
    },
  ],
};
