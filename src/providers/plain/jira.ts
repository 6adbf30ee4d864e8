import { z } from 'zod';
import type { PlainOperation, PlainProvider } from '../../integrations';

// https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/, /webhooks/ and /rest/v3/, and the shapes of jira.js 6.2.0
// (searchAndReconsileIssuesUsingJql, searchProjects, getAllUsers, registerDynamicWebhooks), on 2026-11-28.

const FIELDS = { fields: ['*all', '-comment', '-worklog', '-attachment'], maxResults: 100 };
const WRITE = { scopes: ['write:jira-work'] };
/** An id or a key. */
const issue = z
  .string()
  .regex(/^(\d{1,20}|[A-Z][A-Z0-9_]{1,50}-\d{1,12})$/)
  .meta({ examples: ['EX-1'] });

const issueShape = z.object({
  id: z.string(),
  key: z.string(),
  fields: z.object({
    summary: z.string(),
    status: z.object({ name: z.string() }),
    project: z.object({ key: z.string() }),
    created: z.string(),
    updated: z.string(),
  }),
});
const projectShape = z.object({ id: z.string(), key: z.string(), name: z.string() });
const userShape = z.object({ accountId: z.string(), displayName: z.string(), active: z.boolean() });

/** Jira knows no key: what is done in doubt is not done again. */
function acting(
  facts: Pick<PlainOperation, 'name' | 'title' | 'description' | 'path' | 'input' | 'output' | 'body' | 'makes'>,
): PlainOperation {
  return { ...facts, ...WRITE, effect: 'write', method: 'POST' };
}

export const jira: PlainProvider = {
  key: 'jira',
  name: 'Jira',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
  checked: { at: '2026-11-28', against: 'grant 5.4.24, arctic, @auth/core, jira.js 6.2.0' },
  apiBaseUrl: 'https://api.atlassian.com/ex/jira/{cloudId}/rest/',
  hosts: ['api.atlassian.com'],
  oauth2: {
    authorizeUrl: 'https://auth.atlassian.com/authorize',
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    scopes: ['read:jira-work', 'write:jira-work', 'read:jira-user', 'manage:jira-webhook', 'offline_access'],
    refresh: true,
    authorizeParams: { audience: 'api.atlassian.com', prompt: 'consent' },
  },
  account: {
    path: 'https://api.atlassian.com/oauth/token/accessible-resources',
    id: '/id',
    name: '/name',
    routingKey: '/url',
    several: { items: '', values: { cloudId: '/id' }, person: { path: 'api/3/myself', id: '/accountId' } },
  },
  endpoints: [{ method: 'POST', path: '/ex/jira/:cloudId/rest/api/3/search/jql', repeatable: true }],
  faults: [
    { status: 401, at: '/message', is: 'Unauthorized; scope does not match', code: 'missing_scope' },
    { status: 401, code: 'needs_reauth', tokenExpired: true },
  ],
  webhooks: {
    // Atlassian says that it is a JWT signed with the client's secret; which claims it has is not published (not confirmed): one with neither
    // `exp` nor `iat` would be refused. It says nothing of the body, so of that only which issue it is about is believed.
    scheme: { kind: 'jwt', header: 'authorization' },
    signedByClient: true,
    eventId: 'header:x-atlassian-webhook-identifier',
    type: ['/webhookEvent'],
    routingKey: 'origin:/issue/self',
    watchIds: '/matchedWebhookIds',
    records: [{ types: ['jira:issue_*'], resource: 'issues', id: '/issue/id', gone: ['jira:issue_deleted'] }],
  },
  resources: [
    {
      name: 'issues',
      label: 'Issues',
      shape: issueShape,
      // What the person may see; archived ones are no more.
      extent: 'whole',
      scopes: ['read:jira-work'],
      path: 'api/3/search/jql',
      method: 'POST',
      // Only a query that is bounded is answered.
      body: { ...FIELDS, jql: 'project is not EMPTY ORDER BY created ASC' },
      items: '/issues',
      version: '/fields/updated',
      page: { by: 'cursor', param: 'nextPageToken', in: 'body', next: '/nextPageToken' },
      // A date would be read in the person's time zone.
      since: { param: '/jql', as: 'minutes-ago', text: 'updated >= -{since}m ORDER BY updated ASC', by: { body: FIELDS } },
      watch: {
        create: {
          method: 'POST',
          path: 'api/3/webhook',
          body: {
            // An app has one address for all its webhooks.
            url: '{address}',
            webhooks: [
              {
                events: ['jira:issue_created', 'jira:issue_updated', 'jira:issue_deleted'],
                // The filter has to say something, and knows no IS NOT: every project but one that there is not.
                jqlFilter: 'project NOT IN (00000000-0000-4000-8000-000000000000)',
              },
            ],
          },
        },
        id: '/webhookRegistrationResult/0/createdWebhookId',
        refused: '/webhookRegistrationResult/0/errors/0',
        expires: '/expirationDate',
        hours: 30 * 24,
        renewBeforeHours: 7 * 24,
        renew: { method: 'PUT', path: 'api/3/webhook/refresh', body: { webhookIds: ['{#id}'] } },
        stop: { method: 'DELETE', path: 'api/3/webhook', body: { webhookIds: ['{#id}'] } },
      },
    },
    {
      name: 'projects',
      label: 'Projects',
      shape: projectShape,
      extent: 'whole',
      scopes: ['read:jira-work'],
      path: 'api/3/project/search',
      items: '/values',
      page: { by: 'offset', param: 'startAt', size: 100, sizeParam: 'maxResults' },
    },
    {
      name: 'users',
      label: 'People',
      shape: userShape,
      extent: 'whole',
      scopes: ['read:jira-user'],
      path: 'api/3/users/search',
      id: '/accountId',
      page: { by: 'offset', param: 'startAt', size: 200, sizeParam: 'maxResults' },
    },
  ],
  operations: [
    acting({
      name: 'issues.create',
      title: 'Create an issue',
      description: 'Opens an issue in a project, reported by the person who connected.',
      makes: true,
      // Of version 2, where a description is a text.
      path: 'api/2/issue',
      body: { at: '/fields' },
      input: z.strictObject({
        project: z.strictObject({ key: z.string().min(1).max(255) }),
        issuetype: z.strictObject({ name: z.string().min(1).max(255) }),
        summary: z.string().min(1).max(255),
        description: z.string().max(32_767).optional(),
      }),
      output: z.object({ id: z.string(), key: z.string() }),
    }),
    acting({
      name: 'comments.create',
      title: 'Comment on an issue',
      description: 'Adds a comment to an issue, as the person who connected.',
      makes: true,
      path: 'api/2/issue/{issue}/comment',
      input: z.strictObject({ issue, body: z.string().min(1).max(32_767) }),
      output: z.object({ id: z.string() }),
    }),
    acting({
      name: 'issues.transition',
      title: 'Move an issue on',
      description: 'Takes one of the steps that the workflow has for the issue now; `GET api/3/issue/{issue}/transitions` lists them.',
      path: 'api/3/issue/{issue}/transitions',
      input: z.strictObject({
        issue,
        transition: z.strictObject({
          id: z
            .string()
            .regex(/^\d{1,20}$/)
            .meta({ examples: ['31'] }),
        }),
      }),
      output: z.object({}),
    }),
  ],
};
