import { z } from 'zod';
import { moment } from '../../../http-api';
import { EVENT_STATUSES } from '../webhook-event.entity';
import type { FailedEventGroup, QueueState } from './event-sums';
import type { StoredEventDetail, StoredEventView } from './webhook-event.list';
import type { ReplayReport } from './webhook-replay';
import type { ReplayRun } from './replay-runs';
import { REPLAY_STATES } from './webhook-replay.entity';

export const eventAnswer = z.object({
  id: z.string(),
  tenant: z.string().nullable().describe('Null where it belongs to no organization.'),
  provider: z.string(),
  eventId: z.string(),
  type: z.string(),
  status: z.enum(EVENT_STATUSES),
  attempts: z.number().int(),
  connectionId: z.string().nullable(),
  receivedAt: moment,
  processedAt: moment.nullable(),
  lastError: z.string().nullable(),
}) satisfies z.ZodType<StoredEventView>;

export const eventDetailAnswer = eventAnswer.extend({
  objectKey: z.string().nullable(),
  errorCode: z.string().nullable(),
  nextAttemptAt: moment.nullable(),
  failures: z
    .array(
      z.object({
        at: moment,
        attempt: z.number().int(),
        durationMs: z.number().nullable().describe('Of the batch that the event was in; null where its process stopped.'),
        worker: z.string().nullable().describe('Host and process.'),
        code: z.string(),
        error: z.string(),
      }),
    )
    .describe('The newest attempts that failed, the oldest of them first, those before a replay included.'),
  headers: z.record(z.string(), z.string()),
  payload: z.unknown().describe('Without what is secret or personal; null once its time is over.'),
}) satisfies z.ZodType<StoredEventDetail>;

export const failedGroupAnswer = z.object({
  provider: z.string(),
  type: z.string(),
  handlers: z.array(z.string()).describe('Who handles events of this kind.'),
  errorCode: z.string().nullable(),
  error: z.string().nullable().describe('`#` in place of each word that has a digit; `error` of a filter takes it.'),
  dead: z.number().int().describe('Given up.'),
  retrying: z.number().int().describe('Tried again by themselves.'),
  tenants: z.number().int(),
  connections: z.number().int(),
  since: moment.describe('When the oldest of those that were counted came.'),
  last: moment.describe('When the newest came.'),
  exampleId: z.string().describe('The newest of them.'),
  atLeast: z
    .array(z.enum(['dead', 'retrying', 'tenants', 'connections', 'since']))
    .describe('Figures that may be more, or earlier: of a kind of which very many failed the newest are counted.'),
}) satisfies z.ZodType<FailedEventGroup>;

export const replayAnswer = z.object({
  matched: z.number().int(),
  replayed: z.number().int().describe('0 for a dry run.'),
  dryRun: z.boolean(),
}) satisfies z.ZodType<ReplayReport>;

export const replayRunAnswer = z.object({
  id: z.string(),
  tenant: z.string().nullable().describe('Of whose events; null: of all.'),
  actor: z.string().describe('Who asked: organization and user.'),
  filter: z.object({}).loose().describe('Which events, as it was asked for.') as unknown as z.ZodType<ReplayRun['filter']>,
  state: z.enum(REPLAY_STATES),
  total: z.number().int().describe('Events that matched when it was asked for.'),
  done: z.number().int(),
  failed: z.number().int().describe('Failed again: tried again by themselves, or given up.'),
  skipped: z.number().int().describe('Could not be replayed when their turn came; known at the end.'),
  createdAt: moment,
  startedAt: moment.nullable(),
  endedAt: moment.nullable(),
}) satisfies z.ZodType<ReplayRun>;

export const queueAnswer = z.object({
  depth: z.number().int(),
  oldestAgeSeconds: z.number().nullable(),
  inFlight: z.number().int(),
  retrying: z.number().int(),
  dead: z.number().int(),
  atLeast: z
    .array(z.enum(['depth', 'oldestAgeSeconds', 'inFlight', 'retrying', 'dead']))
    .describe('Figures that may be more: counted is up to 5,000, and the oldest is looked for in 1,000 organizations.'),
}) satisfies z.ZodType<QueueState>;
