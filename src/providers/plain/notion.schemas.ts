import { z } from 'zod';

// Of the records and of what is written, what @notionhq/client says of each; a test compiles them against it.
const object = { id: z.string(), created_time: z.string(), last_edited_time: z.string(), properties: z.record(z.string(), z.unknown()) };
export const notionShapes = {
  page: z.object({ ...object, url: z.string() }),
  database: z.object({ ...object, title: z.array(z.object({ plain_text: z.string() })) }),
  user: z.object({ id: z.string(), name: z.string().nullish() }),
};

const id = z
  .string()
  .regex(/^[0-9a-f-]{32,36}$/)
  .meta({ examples: ['59833787-2cf9-4fdf-8782-e53db20768a5'] });
const richText = z
  .array(z.strictObject({ text: z.strictObject({ content: z.string().min(1).max(2_000) }) }))
  .min(1)
  .max(100);

export const notionInputs = {
  page: z.strictObject({
    parent: z.strictObject({ page_id: id }),
    properties: z.strictObject({ title: z.strictObject({ title: richText }) }),
  }),
  comment: z.strictObject({ parent: z.strictObject({ page_id: id }), rich_text: richText }),
};
