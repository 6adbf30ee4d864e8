import { z } from 'zod';
import { errorCode, moment, pageOf } from '../../http-api';
import { partAnswer } from './part-view';
import type { ConnectionView, ProviderView } from './connection-views';

export const connectionAnswer = z.object({
  id: z.string(),
  provider: z.string(),
  owner: z.enum(['user', 'organization']),
  userId: z.string().nullable().describe('Null where it is the organization’s.'),
  policy: z
    .object({ usedBy: z.enum(['all', 'admins']), managedBy: z.enum(['all', 'admins']) })
    .nullable()
    .describe('Who of the organization uses and manages it; null where it is a person’s.'),
  mayManage: z.boolean().describe('Whether who asks may end it and connect it anew.'),
  status: z.enum(['connected', 'needs_reauth', 'disconnected']),
  connected: z.boolean(),
  account: z.object({ id: z.string(), name: z.string() }),
  scopes: z.array(z.string()).describe('Of a token beside the one that calls go with, with its kind: `user:search:read`.'),
  missingScopes: z.array(z.string()).describe('Needed and asked for, and not given; connecting anew asks for them.'),
  partial: z.boolean().describe('It works, and something of it cannot, since scopes are missing.'),
  lastSync: moment.nullable(),
  syncInProgress: z.boolean(),
  parts: z.array(partAnswer).describe('Parts of the sync that cannot be read, or are not read whole. Empty: all is read.'),
  error: z.object({ code: errorCode, message: z.string(), nextStep: z.string() }).nullable(),
  createdAt: moment,
}) satisfies z.ZodType<ConnectionView>;

export const providersAnswer = pageOf(
  z.object({
    key: z.string(),
    name: z.string(),
    authType: z.enum(['oauth2', 'api_key']),
    configured: z.boolean(),
    scopes: z.array(z.string()),
    ask: z.record(z.string(), z.object({ label: z.string(), example: z.string(), secret: z.boolean() })).optional(),
    apiKey: z.object({ help: z.string() }).optional().describe('It takes a key: by `POST /v1/connections`.'),
    capabilities: z.object({ sync: z.boolean(), webhooks: z.boolean(), actions: z.boolean() }),
  }) satisfies z.ZodType<Omit<ProviderView, 'ask'>>,
);

export const connectSessionAnswer = z.object({ connectUrl: z.url(), expiresAt: moment });
export const disconnectAnswer = z.object({ revoked: z.boolean().describe('Whether the provider ended the grant as well.') });
