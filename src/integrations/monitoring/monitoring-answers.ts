import { z } from 'zod';
import { moment } from '../../http-api';
import type { LoggedRequest } from '../outbound';
import type { Alert } from './alert.service';
import type { DayFigures, FigureSums } from './day-figures.service';
import type { ConnectionHealth, ProviderHealth } from './provider-health.service';

const health = {
  provider: z.string(),
  status: z
    .enum(['healthy', 'limited', 'degraded', 'down', 'unknown'])
    .describe('`limited`: nothing fails there but for its limits (429). `unknown`: no traffic.'),
  lastSuccess: moment.nullable(),
  lastFailure: moment.nullable(),
  errorRate24h: z.number().nullable().describe('0 to 1; null without traffic.'),
  requests24h: z.number().int(),
  rateLimited24h: z.number().int().describe('Of the requests, those that the provider answered with 429, or how it says that.'),
};

const p95 = z.number().nullable();
const counted = z.number().int();
const sums = z.object({
  requests: counted,
  failed: counted,
  rateLimited: counted.describe('Requests that the provider answered with 429, or how it says that.'),
  latencyP95Ms: p95.describe('Of the calls: 95 of 100 took no longer. Null where there was none.'),
  events: counted.describe('Webhook events that took effect.'),
  eventsFailed: counted.describe('Tries of webhook events that failed in their handlers.'),
  lagP95Ms: p95.describe('From the receipt of webhook events to their effect.'),
  delivered: counted.describe('Deliveries that destinations took.'),
  deliveryLagP95Ms: p95.describe('From what deliveries tell of to their being taken.'),
}) satisfies z.ZodType<FigureSums>;
const hourly = z.object({
  requests: z.array(counted),
  failed: z.array(counted),
  rateLimited: z.array(counted),
  latencyP95Ms: z.array(p95),
  events: z.array(counted),
  eventsFailed: z.array(counted),
  lagP95Ms: z.array(p95),
  delivered: z.array(counted),
  deliveryLagP95Ms: z.array(p95),
});

export const dayFiguresAnswer = z.object({
  from: moment.describe('When the first of the 24 hours began; the one under way is the last.'),
  total: sums,
  hourly: hourly.describe('24 of each, the oldest first. A process that was killed has lost what it counted in its last seconds.'),
  providers: z
    .array(z.object({ provider: z.string(), total: sums, hourly }))
    .describe('Those that had something. Deliveries are of no provider.'),
}) satisfies z.ZodType<DayFigures>;

export const providerHealthAnswer = z.object({
  ...health,
  latencyP95Ms24h: p95.describe('Of the calls to the provider, tries counted one by one.'),
  events24h: z.number().int().describe('Webhook events that took effect.'),
  eventsFailed24h: z.number().int().describe('Tries of webhook events that failed in their handlers.'),
  lagP95Ms24h: p95.describe('From the receipt of webhook events to their effect.'),
  nextTryAt: moment.nullable().describe('When the first of the syncs that wait there is tried again; null where none waits.'),
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
