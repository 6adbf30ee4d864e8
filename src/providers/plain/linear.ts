import { z } from 'zod';
import type { PlainOperation, PlainProvider, PlainResource } from '../../integrations';
import { linearInputs, linearShapes } from './linear.schemas';

// https://linear.app/developers/webhooks and /graphql, and the types of @linear/sdk 98.0.0 (QueryIssuesArgs, IssueCreateInput,
// EntityWebhookPayload), on 2026-11-28.

/** With archived ones; what is deleted for good is told by an event, and swept. */
function list(name: string, label: string, fields: string, shape: z.ZodObject): PlainResource {
  // All of them by when they were made: in the order of the last change one that changes meanwhile would move to a page that was read already.
  const query = (types: string, how: string) =>
    `query($after: String${types}) { ${name}(first: 100, after: $after, includeArchived: true, ${how}) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
  return {
    name,
    label,
    shape,
    extent: 'whole',
    path: 'graphql',
    method: 'POST',
    body: { query: query('', 'orderBy: createdAt') },
    items: `/data/${name}/nodes`,
    version: '/updatedAt',
    page: {
      by: 'cursor',
      param: '/variables/after',
      in: 'body',
      next: `/data/${name}/pageInfo/endCursor`,
      more: `/data/${name}/pageInfo/hasNextPage`,
    },
    since: {
      param: '/variables/since',
      as: 'iso',
      by: { body: { query: query(', $since: DateTimeOrDuration!', 'orderBy: updatedAt, filter: { updatedAt: { gte: $since } }') } },
    },
  };
}

/** One mutation; Linear honours no key. */
function mutation(
  facts: Pick<PlainOperation, 'name' | 'title' | 'description' | 'input' | 'scopes'>,
  { name, argument, what, fields }: { name: string; argument: string; what: string; fields: readonly string[] },
): PlainOperation {
  return {
    ...facts,
    effect: 'write',
    makes: true,
    widerScopes: Object.fromEntries((facts.scopes ?? []).map((scope) => [scope, ['write', 'admin']])),
    method: 'POST',
    path: 'graphql',
    body: {
      with: { query: `mutation($input: ${argument}!) { ${name}(input: $input) { success ${what} { ${fields.join(' ')} } } }` },
      at: '/variables/input',
    },
    output: z.object(Object.fromEntries(fields.map((field) => [field, z.string()]))),
    at: `/data/${name}/${what}`,
  };
}

export const linear: PlainProvider = {
  key: 'linear',
  name: 'Linear',
  docs: 'https://linear.app/developers/oauth-2-0-authentication',
  checked: { at: '2026-11-28', against: 'arctic, @linear/sdk 98.0.0, linear.app/developers' },
  apiBaseUrl: 'https://api.linear.app/',
  oauth2: {
    authorizeUrl: 'https://linear.app/oauth/authorize',
    tokenUrl: 'https://api.linear.app/oauth/token',
    scopes: ['read', 'issues:create', 'comments:create'],
    refresh: true,
    revokeUrl: 'https://api.linear.app/oauth/revoke',
    scopeSeparator: ',',
    revoke: { as: 'token' },
  },
  account: {
    path: 'graphql',
    id: '/data/organization/id',
    name: '/data/organization/name',
    method: 'POST',
    body: { query: '{ organization { id name } }' },
  },
  limits: { account: { perSecond: 1.3, burst: 100, per: 'account' } },
  // GraphQL says no with a 200 or a 400: https://linear.app/developers/graphql
  faults: [
    { at: '/errors/0/extensions/code', is: 'RATELIMITED', code: 'provider_rate_limited' },
    { status: 401, at: '/errors/0/extensions/code', is: 'AUTHENTICATION_ERROR', code: 'needs_reauth', tokenExpired: true },
    { status: 200, at: '/errors/0/message', code: 'provider_rejected' },
  ],
  webhooks: {
    scheme: { kind: 'hmac', header: 'linear-signature', timestamp: '/webhookTimestamp', timestampAs: 'ms' },
    eventId: 'header:linear-delivery',
    type: ['/type', '/action'],
    routingKey: '/organizationId',
    objectId: '/data/id',
    objectVersion: '/data/updatedAt',
    // An event's object has other fields than the query's, so it is asked for.
    records: [
      { types: ['Issue.*'], resource: 'issues', id: '/data/id', gone: ['Issue.remove'] },
      { types: ['Project.*'], resource: 'projects', id: '/data/id', gone: ['Project.remove'] },
    ],
    ended: ['OAuthApp.revoked'],
  },
  resources: [
    list(
      'issues',
      'Issues',
      'id identifier title description priority estimate dueDate url createdAt updatedAt archivedAt completedAt canceledAt trashed state { id name type } team { id key } assignee { id } creator { id } project { id } labels { nodes { id name } }',
      linearShapes.issue,
    ),
    list(
      'projects',
      'Projects',
      'id name description url createdAt updatedAt archivedAt completedAt canceledAt startDate targetDate progress lead { id }',
      linearShapes.project,
    ),
  ],
  operations: [
    mutation(
      {
        name: 'issues.create',
        title: 'Create an issue',
        description: 'Opens an issue in a team.',
        scopes: ['issues:create'],
        input: linearInputs.issue,
      },
      { name: 'issueCreate', argument: 'IssueCreateInput', what: 'issue', fields: ['id', 'identifier', 'url'] },
    ),
    mutation(
      {
        name: 'comments.create',
        title: 'Comment on an issue',
        description: 'Adds a comment to an issue, as the person who connected.',
        scopes: ['comments:create'],
        input: linearInputs.comment,
      },
      { name: 'commentCreate', argument: 'CommentCreateInput', what: 'comment', fields: ['id', 'url'] },
    ),
  ],
};
