import { z } from 'zod';
import { moment } from '../../http-api';
import { OUTBOX_EVENT_TYPES } from './outbox/outbox-event';
import { DELIVERY_STATUSES } from './delivery.entity';
import type { Delivery, DeliveryDetail } from './delivery.list';
import type { Destination } from './destination';

export const destinationAnswer = z.object({
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.enum(OUTBOX_EVENT_TYPES)),
  webhookTypes: z.array(z.string()),
  scope: z.enum(['tenant', 'all']).describe('all: of all organizations; an operator makes such a one.'),
  ordered: z.boolean().describe('Messages about the same object come in their order.'),
  match: z
    .record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])))
    .nullable()
    .describe('The values that are taken at each path of a message.'),
  status: z.enum(['active', 'paused']),
  pausedReason: z.enum(['asked', 'failing', 'gone']).nullable(),
  pausedAt: moment.nullable(),
  failures: z.number().int(),
  failingSince: moment.nullable(),
  lastError: z.string().nullable(),
  secrets: z.number().int().describe('That sign now; more than one during a roll.'),
  waiting: z.number().int().describe('Deliveries that wait.'),
  createdAt: moment,
  updatedAt: moment,
}) satisfies z.ZodType<Destination>;

export const destinationWithSecretAnswer = destinationAnswer.extend({ secret: z.string().describe('Shown this once.') });
export const resentAnswer = z.object({ resent: z.number().int() });

export const deliveryAnswer = z.object({
  id: z.string(),
  messageId: z.string().describe('The webhook-id of every try.'),
  destinationId: z.string(),
  tenant: z.string(),
  type: z.string(),
  connectionId: z.string().nullable(),
  status: z.enum(DELIVERY_STATUSES),
  attempts: z.number().int(),
  responseStatus: z.number().int().nullable(),
  error: z.string().nullable(),
  nextAttemptAt: moment.nullable(),
  createdAt: moment,
  deliveredAt: moment.nullable(),
}) satisfies z.ZodType<Delivery>;

export const deliveryDetailAnswer = deliveryAnswer.extend({
  subject: z
    .object({ kind: z.enum(['webhook_event', 'sync_run', 'alert']), id: z.string() })
    .nullable()
    .describe('What it tells of, where that can be looked at by itself.'),
  tries: z.array(z.object({ at: moment, status: z.number().int().nullable(), error: z.string().nullable(), durationMs: z.number() })),
}) satisfies z.ZodType<DeliveryDetail>;
