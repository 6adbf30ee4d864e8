import { z } from 'zod';
import { moment } from '../../http-api';
import type { LoggedRequest } from '../outbound';
import type { Alert } from './alert.service';
import type { ConnectionHealth, ProviderHealth } from './provider-health.service';

const health = {
  provider: z.string(),
  status: z.enum(['healthy', 'degraded', 'down', 'unknown']),
  lastSuccess: moment.nullable(),
  lastFailure: moment.nullable(),
  errorRate24h: z.number().nullable().describe('0 to 1; null without traffic.'),
  requests24h: z.number().int(),
};

export const providerHealthAnswer = z.object({
  ...health,
  connections: z.object({ connected: z.number().int(), needsReauth: z.number().int() }),
  circuit: z.string(),
}) satisfies z.ZodType<ProviderHealth>;

export const connectionHealthAnswer = z.object({
  ...health,
  connectionId: z.string(),
  accountName: z.string(),
  userId: z.string().nullable().describe('Null where it is the organization’s.'),
  connectionStatus: z.string(),
}) satisfies z.ZodType<ConnectionHealth>;

export const loggedRequestAnswer = z.object({
  id: z.string(),
  at: moment,
  provider: z.string(),
  tenant: z.string().nullable().describe('Null where the call was for no connection.'),
  connectionId: z.string().nullable(),
  method: z.string(),
  endpoint: z.string(),
  status: z.number().int().nullable(),
  outcome: z.string(),
  errorCode: z.string().nullable(),
  providerCode: z.string().nullable(),
  attempt: z.number().int(),
  durationMs: z.number(),
  requestId: z.string().nullable(),
  operation: z.string().nullable(),
}) satisfies z.ZodType<LoggedRequest>;

export const alertAnswer = z.object({
  id: z.string(),
  kind: z.string(),
  severity: z.string(),
  tenant: z.string().nullable().describe('Null where it is of no organization alone.'),
  provider: z.string().nullable(),
  connectionId: z.string().nullable(),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  title: z.string(),
  detail: z.string(),
  nextStep: z.string(),
  count: z.number().int(),
  openedAt: moment,
  lastSeenAt: moment,
  acknowledgedAt: moment.nullable(),
  acknowledgedBy: z.string().nullable(),
  resolvedAt: moment.nullable(),
}) satisfies z.ZodType<Alert>;
