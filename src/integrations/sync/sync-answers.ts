import { z } from 'zod';
import { errorCode, moment } from '../../http-api';
import { partAnswer } from '../connections';
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
  progress: z.object({
    fetched: count,
    total: count.nullable(),
    resource: z.string().nullable().describe('What is read, or was read last.'),
  }),
  createdAt: moment,
  startedAt: moment.nullable(),
  finishedAt: moment.nullable(),
  error: z.object({ code: errorCode, message: z.string(), nextStep: z.string() }).nullable(),
  nextTryAt: moment.nullable().describe('Of one whose last try failed with `error`.'),
  parts: z.array(partAnswer).describe('Those of what it was about that could not be read when it ended.'),
  shapeErrors: z
    .array(z.object({ resource: z.string(), partition: z.string().nullable(), records: count, recordId: z.string(), reason: z.string() }))
    .describe('Records that do not have the declared shape, with the first of each part: they are stored as they came.'),
}) satisfies z.ZodType<SyncRunView>;

const record = {
  id: z.string(),
  partition: z.string().exactOptional(),
  data: z
    .unknown()
    .describe(
      'As the mapping in force makes it; with `raw=true` as the provider gave it. Null where it is deleted, or the mapping failed.',
    ),
  mappingError: z
    .string()
    .exactOptional()
    .describe('Why the mapping made nothing of this record. It is as it was: read it with `raw=true`.'),
  shapeError: z
    .string()
    .exactOptional()
    .describe("Where the provider's object does not have the declared shape (`GET /v1/resources`): why. It is stored as it came."),
  deleted: z.boolean(),
  changedAt: moment,
};
const mappingInForce = z.object({ id: z.string(), version: count }).describe('Which made the data. Absent where none is set.');

export const recordAnswer = z.object({ ...record, mapping: mappingInForce.exactOptional() });

export const feedAnswer = z.object({
  data: z.array(z.object(record)),
  mapping: mappingInForce.exactOptional(),
  nextCursor: z.string().describe('Always there: ask with it again later.'),
  hasMore: z.boolean().describe('Whether there is more to read now.'),
});

export const resourceAnswer = z.object({
  provider: z.string(),
  name: z.string(),
  label: z.string(),
  scopes: z.array(z.string()).describe('Without which nothing of it is read.'),
  eventOnly: z.boolean().describe('No run can walk it: events alone fill it.'),
  schema: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe(
      "JSON Schema (2020-12) of a record's `data` without a mapping. What it does not name is there as well; null: nothing is promised.",
    ),
});

export const mappingAnswer = z.object({
  id: z.string(),
  provider: z.string(),
  resource: z.string(),
  connectionId: z.string().nullable().describe('Null: all connections of the organization to the provider.'),
  version: count,
  expression: z.string().describe("JSONata (https://docs.jsonata.org) over the provider's object."),
  createdBy: z.string(),
  createdAt: moment,
  endedAt: moment.nullable(),
  toldAt: moment.nullable().describe('When readers of the feed had all living records again; null while that goes on.'),
});

export const previewAnswer = z.object({
  data: z.array(
    z.object({
      connectionId: z.string(),
      recordId: z.string(),
      before: z.unknown(),
      after: z.unknown(),
      mappingError: z.string().exactOptional(),
    }),
  ),
});
