import { z } from 'zod';
import type { PlainProvider, PlainResource } from '../../integrations';
import { microsoftInputs, microsoftShapes } from './microsoft.schemas';

// https://learn.microsoft.com/en-us/graph/api/user-list-messages, user-list-events, user-list-contacts, user-sendmail and user-post-events,
// and the types of @microsoft/microsoft-graph-types 2.43.1, on 2026-11-28.

/** Everything of the mailbox, what lies in its folder of deleted things among it. */
function list(name: keyof typeof microsoftShapes, label: string, scope: string): PlainResource {
  return {
    name,
    label,
    shape: microsoftShapes[name],
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
      input: microsoftInputs.mail,
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
      input: microsoftInputs.event,
      output: z.object({ id: z.string(), webLink: z.string() }),
    },
  ],
};
