import { z } from 'zod';
import { OUTBOX_EVENT_TYPES } from './outbox';

const fields = {
  name: z.string().trim().min(1).max(200),
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).max(2_000),
  events: z.array(z.enum(OUTBOX_EVENT_TYPES)).min(1).max(OUTBOX_EVENT_TYPES.length),
  webhookTypes: z
    .array(
      z
        .string()
        .max(512)
        .regex(/^[^*\s/]+\/[^*\s]*\*?$|^\*$/, 'must be provider/type, or a beginning that ends with *, e.g. acme/invoice.*'),
    )
    .max(100),
  match: z
    .record(
      z
        .string()
        .max(200)
        .regex(/^(type|tenant|data(\.[^.\s]+)+)$/, 'must be type, tenant or a path below data, e.g. data.provider'),
      z
        .array(z.union([z.string().max(512), z.number(), z.boolean(), z.null()]))
        .min(1)
        .max(100),
    )
    .refine((match) => Object.keys(match).length <= 20, 'at most 20 paths')
    .nullable(),
};

/** What a destination is made of, by the API and by the form. */
export const newDestination = z.strictObject({
  ...fields,
  name: fields.name.default('Webhook'),
  webhookTypes: fields.webhookTypes.default([]),
  match: fields.match.default(null),
  scope: z.enum(['tenant', 'all']).default('tenant'),
  ordered: z.boolean().default(false),
});

export const changedDestination = z
  .strictObject({
    name: fields.name.optional(),
    url: fields.url.optional(),
    events: fields.events.optional(),
    webhookTypes: fields.webhookTypes.optional(),
    match: fields.match.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'name at least one field');
