import { z } from 'zod';

/** Of https://docs.slack.dev/reference/objects/conversation-object, what each channel has. */
export const channelShape = z.object({
  id: z.string(),
  name: z.string(),
  is_private: z.boolean().optional(),
  is_archived: z.boolean().optional(),
  num_members: z.number().optional(),
});

/** Of https://docs.slack.dev/reference/objects/user-object. */
export const userShape = z.object({
  id: z.string(),
  name: z.string(),
  deleted: z.boolean().optional(),
  is_bot: z.boolean().optional(),
  profile: z.object({ display_name: z.string().optional(), email: z.string().optional() }).optional(),
});

/** Of https://docs.slack.dev/reference/events/message; `channel` is ours. */
export const messageShape = z.object({
  channel: z.string(),
  ts: z.string(),
  text: z.string().optional(),
  user: z.string().optional(),
  thread_ts: z.string().optional(),
});
