import { z } from 'zod';
import { errorCode, moment } from '../../http-api';
import { partAnswer } from '../connections';
import type { FeedPage } from './feed/record-feed';
import type { SyncRunView } from './runs/sync-run';

const count = z.number().int();

export const runAnswer = z.object({
  id: z.string(),
  connectionId: z.string(),
  provider: z.string(),
  type: z.enum(['full', 'incremental']),
  trigger: z.enum(['schedule', 'manual', 'webhook', 'connect']),
  status: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  resources: z.array(z.string()).describe('Empty: all.'),
  counts: z.object({ fetched: count, created: count, updated: count, unchanged: count, deleted: count }),
  progress: z.object({ fetched: count, total: count.nullable() }),
  createdAt: moment,
  startedAt: moment.nullable(),
  finishedAt: moment.nullable(),
  error: z.object({ code: errorCode, message: z.string(), nextStep: z.string() }).nullable(),
  parts: z.array(partAnswer).describe('Those of what it was about that could not be read when it ended.'),
}) satisfies z.ZodType<SyncRunView>;

export const feedAnswer = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      partition: z.string().exactOptional(),
      data: z.unknown(),
      deleted: z.boolean(),
      changedAt: moment,
    }),
  ),
  nextCursor: z.string().describe('Always there: ask with it again later.'),
}) satisfies z.ZodType<FeedPage>;
