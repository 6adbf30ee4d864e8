import { z } from 'zod';

/** Of https://developers.google.com/workspace/calendar/api/v3/reference/calendarList */
export const calendarShape = z.object({
  id: z.string(),
  summary: z.string(),
  accessRole: z.string(),
  primary: z.boolean().optional(),
  timeZone: z.string().optional(),
});

const moment = z.object({ date: z.string().optional(), dateTime: z.string().optional(), timeZone: z.string().optional() }).optional();

/** Of https://developers.google.com/workspace/calendar/api/v3/reference/events: of a cancelled occurrence there may be little more than the id. */
export const eventShape = z.object({
  id: z.string(),
  status: z.enum(['confirmed', 'tentative', 'cancelled']).optional(),
  summary: z.string().optional(),
  start: moment,
  end: moment,
  recurringEventId: z.string().optional(),
});

/** Of https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages, as far as it is asked for. */
export const mailShape = z.object({
  id: z.string(),
  threadId: z.string(),
  labelIds: z.array(z.string()).optional(),
  snippet: z.string().optional(),
  internalDate: z.string().optional(),
  payload: z.object({ headers: z.array(z.object({ name: z.string(), value: z.string() })).optional() }).optional(),
});
