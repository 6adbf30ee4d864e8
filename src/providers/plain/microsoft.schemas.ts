import { z } from 'zod';

// Of the records and of what is written, what @microsoft/microsoft-graph-types says of each; a test compiles them against it.
const item = { id: z.string(), lastModifiedDateTime: z.string() };
const mailbox = z.object({ name: z.string().nullish(), address: z.string().nullish() });
const moment = z.object({ dateTime: z.string(), timeZone: z.string() });
export const microsoftShapes = {
  messages: z.object({
    ...item,
    subject: z.string().nullish(),
    from: z.object({ emailAddress: mailbox }).nullish(),
    receivedDateTime: z.string().nullish(),
    isRead: z.boolean().nullish(),
  }),
  events: z.object({ ...item, subject: z.string().nullish(), start: moment, end: moment, isCancelled: z.boolean().nullish() }),
  contacts: z.object({ ...item, displayName: z.string().nullish(), emailAddresses: z.array(mailbox).nullish() }),
};

const address = z.strictObject({ emailAddress: z.strictObject({ address: z.email().max(320), name: z.string().max(255).optional() }) });
const body = z.strictObject({ contentType: z.enum(['text', 'html']), content: z.string().max(1_000_000) });
const when = z.strictObject({
  dateTime: z.iso.datetime({ local: true }).meta({ examples: ['2027-01-01T10:00:00'] }),
  timeZone: z.string().min(1).max(100),
});

export const microsoftInputs = {
  mail: z.strictObject({
    subject: z.string().min(1).max(255),
    body,
    toRecipients: z.array(address).min(1).max(500),
    ccRecipients: z.array(address).max(500).optional(),
  }),
  event: z.strictObject({
    subject: z.string().min(1).max(255),
    start: when,
    end: when,
    body: body.optional(),
    location: z.strictObject({ displayName: z.string().max(255) }).optional(),
    attendees: z.array(address).max(500).optional(),
  }),
};
