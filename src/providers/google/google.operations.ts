import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { cursor, decodeCursor, encodeCursor, limit } from '../../http-api';
import { defineOperation } from '../../integrations';
import { sendEmailBody } from './google-mail.composer';
import { CALENDAR_SCOPE, CALENDAR_SCOPES, GOOGLE, MAIL_SEND_SCOPE, MAIL_SEND_SCOPES } from './google.facts';
import { eventPosition, GoogleService } from './google.service';

export const instant = z.iso.datetime({ offset: true, error: 'must be a time like 2026-01-31T09:00:00Z' });
export const calendarId = z.string().min(1).max(1_024);

const event = z.object({
  id: z.string(),
  status: z.string(),
  summary: z.string(),
  description: z.string().nullable(),
  location: z.string().nullable(),
  start: z.string().nullable().describe('ISO 8601; of an all-day event the date alone.'),
  end: z.string().nullable().describe('Like start; of an all-day event the day after its last.'),
  allDay: z.boolean(),
  timeZone: z.string().nullable(),
  recurringEventId: z.string().nullable(),
  link: z.string().nullable(),
});

/** What can be done with Google. */
@Injectable()
export class GoogleOperations {
  constructor(private readonly google: GoogleService) {}

  /** Gmail takes no idempotency key: one of doubtful outcome is looked for by its Message-ID, and stays unknown if not found. */
  readonly sendEmail = defineOperation({
    name: 'emails.send',
    provider: GOOGLE,
    title: 'Send an e-mail',
    description: 'Sends an e-mail from the connected account, with attachments of at most 25 MB together.',
    input: sendEmailBody,
    output: z.object({ messageId: z.string(), threadId: z.string() }),
    effect: 'write',
    makes: true,
    scopes: [MAIL_SEND_SCOPE],
    widerScopes: { [MAIL_SEND_SCOPE]: MAIL_SEND_SCOPES },
    repeat: 'searchable',
    run: ({ connection, input, operationId }) => this.google.sendEmail(connection, input, operationId),
    find: (connection, operationId, signal) => this.google.findSentEmail(connection, operationId, signal),
  });

  readonly listEvents = defineOperation({
    name: 'events.list',
    provider: GOOGLE,
    title: 'List calendar events',
    description: 'Occurrences in a window by their start, asked live: from now for 30 days unless said otherwise, a year at most.',
    input: z.strictObject({
      calendarId: calendarId.default('primary'),
      timeMin: instant.optional(),
      timeMax: instant.optional(),
      limit,
      cursor,
    }),
    output: z.object({ data: z.array(event), nextCursor: z.string().nullable() }),
    effect: 'read',
    scopes: [CALENDAR_SCOPE],
    widerScopes: { [CALENDAR_SCOPE]: CALENDAR_SCOPES },
    repeat: 'none',
    run: async ({ connection, input: { calendarId: calendar, cursor: text, ...window } }) => {
      const position = text === undefined ? undefined : decodeCursor(text, eventPosition);
      const { events, next } = await this.google.listEvents(connection, calendar, { ...window, position });
      return { data: events, nextCursor: next === undefined ? null : encodeCursor(next) };
    },
  });

  readonly all = [this.sendEmail, this.listEvents];
}
