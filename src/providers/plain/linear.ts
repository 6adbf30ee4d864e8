import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

export const linear: PlainProvider = {
  key: 'linear',
  name: 'Linear',
  docs: 'https://linear.app/developers/oauth-2-0-authentication',
  checked: { at: '2026-11-27', against: 'arctic, public source code' },
  apiBaseUrl: 'https://api.linear.app/',
  oauth2: {
    authorizeUrl: 'https://linear.app/oauth/authorize',
    tokenUrl: 'https://api.linear.app/oauth/token',
    scopes: ['read', 'issues:create'],
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
  // GraphQL says no with a 200: https://linear.app/developers/graphql
  faults: [
    { at: '/errors/0/extensions/code', is: 'RATELIMITED', code: 'provider_rate_limited' },
    { status: 200, at: '/errors/0/message', code: 'provider_rejected' },
  ],
  webhooks: {
    scheme: { kind: 'hmac', header: 'linear-signature' },
    eventId: 'header:linear-delivery',
    type: ['/type', '/action'],
    routingKey: '/organizationId',
    objectId: '/data/id',
    objectVersion: '/data/updatedAt',
  },
  operations: [
    {
      name: 'issues.create',
      title: 'Create an issue',
      description: 'Opens an issue in a team.',
      effect: 'write',
      makes: true,
      scopes: ['issues:create'],
      widerScopes: { 'issues:create': ['write', 'admin'] },
      method: 'POST',
      path: 'graphql',
      body: {
        with: {
          query: 'mutation($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { id identifier url } } }',
        },
        at: '/variables/input',
      },
      input: z.strictObject({
        teamId: z.string().min(1).max(100),
        title: z.string().min(1).max(512),
        description: z.string().max(100_000).optional(),
        priority: z.int().min(0).max(4).optional(),
      }),
      output: z.object({ id: z.string(), identifier: z.string(), url: z.string() }),
      at: '/data/issueCreate/issue',
    },
  ],
};
