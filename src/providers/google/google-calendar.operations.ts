import { Inject, Injectable } from '@nestjs/common';
import type { calendar_v3 } from 'googleapis/build/src/apis/calendar';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { cursor, decodeCursor, encodeCursor, limit } from '../../http-api';
import { callSdk, defineOperation, GovernedHttp, type ConnectionRef } from '../../integrations';
import { emailAddress, withAsciiDomain } from './google-mail.composer';
import { calendarClient } from './google.clients';
import { CALENDAR_SCOPE, CALENDAR_SCOPES, CALENDAR_WRITE_SCOPE, CALENDAR_WRITE_SCOPES, GOOGLE, googleRoots } from './google.facts';
import { eventPosition, GoogleService } from './google.service';

export const instant = z.iso.datetime({ offset: true, error: 'must be a time like 2026-01-31T09:00:00Z' });
/** Often an e-mail address, of any domain. */
export const calendarId = z.string().min(1).max(1_024).transform(withAsciiDomain);
const calendarOrPrimary = calendarId.default('primary');
const eventId = z.string().min(1).max(1_024);
/** A moment, or the day of an all-day event. */
const point = z.union([
  z.strictObject({ dateTime: z.iso.datetime({ offset: true }), timeZone: z.string().max(100).optional() }),
  z.strictObject({ date: z.iso.date() }),
]);
const fields = {
  summary: z.string().max(1_024),
  description: z.string().max(8_192),
  location: z.string().max(1_024),
  start: point,
  end: point,
  attendees: z.array(z.strictObject({ email: emailAddress, optional: z.boolean().optional() })).max(200),
};
const NOTIFY = z.enum(['all', 'externalOnly', 'none']).default('none').describe('Who of the attendees is told by e-mail.');

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

const written = z.object({
  id: z.string(),
  etag: z.string().describe('Give it as ifMatch to change the event only if nobody else has.'),
  status: z.string(),
  link: z.string().nullable(),
});
/** What writes. */
const WRITES = {
  provider: GOOGLE,
  scopes: [CALENDAR_WRITE_SCOPE],
  widerScopes: { [CALENDAR_WRITE_SCOPE]: CALENDAR_WRITE_SCOPES },
};

/** What can be done with calendars. https://developers.google.com/workspace/calendar/api/v3/reference/events */
@Injectable()
export class GoogleCalendarOperations {
  private readonly rootUrl: string;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly google: GoogleService,
    private readonly http: GovernedHttp,
  ) {
    this.rootUrl = googleRoots(settings.providers[GOOGLE] ?? { webhookSecrets: [] }).calendar;
  }

  readonly listEvents = defineOperation({
    name: 'events.list',
    provider: GOOGLE,
    title: 'List calendar events',
    description: 'Occurrences in a window by their start, asked live: from now for 30 days unless said otherwise, a year at most.',
    input: z.strictObject({
      calendarId: calendarOrPrimary,
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

  /** The event's id is made of ours: one of doubtful outcome is found by it. */
  readonly createEvent = defineOperation({
    ...WRITES,
    name: 'events.create',
    title: 'Create an event',
    description: 'Makes an event in a calendar of the account; attendees are told only where notify says so.',
    input: z.strictObject({
      calendarId: calendarOrPrimary,
      summary: fields.summary,
      start: fields.start,
      end: fields.end,
      description: fields.description.optional(),
      location: fields.location.optional(),
      attendees: fields.attendees.optional(),
      notify: NOTIFY,
    }),
    output: written,
    effect: 'write',
    makes: true,
    repeat: 'searchable',
    run: async ({ connection, input: { calendarId: calendar, notify, ...event }, operationId }) => {
      const client = this.client(connection, 'google.events.create');
      const requestBody = { ...event, id: eventIdOf(operationId) };
      return answerOf(await callSdk(() => client.events.insert({ calendarId: calendar, sendUpdates: notify, requestBody })));
    },
    // Where it was made is not stored with the operation: the person's own calendar is looked into, others stay unknown.
    find: (connection, operationId, signal) =>
      foundOrNot(async () => {
        const client = this.client(connection, 'google.events.find', { signal });
        return answerOf(await callSdk(() => client.events.get({ calendarId: 'primary', eventId: eventIdOf(operationId) })));
      }),
  });

  readonly updateEvent = defineOperation({
    ...WRITES,
    name: 'events.update',
    title: 'Change an event',
    description: 'Changes the fields that are given and leaves the others; with ifMatch only if the event is still as it was read.',
    input: z.strictObject({
      calendarId: calendarOrPrimary,
      eventId,
      ...z.strictObject(fields).partial().shape,
      ifMatch: z.string().max(200).optional(),
      notify: NOTIFY,
    }),
    output: written,
    effect: 'write',
    repeat: 'none',
    run: async ({ connection, input: { calendarId: calendar, eventId: event, ifMatch, notify, ...requestBody } }) => {
      const client = this.client(connection, 'google.events.update', { ifMatch });
      return answerOf(await callSdk(() => client.events.patch({ calendarId: calendar, eventId: event, sendUpdates: notify, requestBody })));
    },
  });

  readonly deleteEvent = defineOperation({
    ...WRITES,
    name: 'events.delete',
    title: 'Delete an event',
    description: 'Removes an event, with ifMatch only if it is still as it was read; one that is gone already counts as deleted.',
    input: z.strictObject({ calendarId: calendarOrPrimary, eventId, ifMatch: z.string().max(200).optional(), notify: NOTIFY }),
    output: z.object({ deleted: z.literal(true) }),
    effect: 'destructive',
    idempotent: true,
    repeat: 'none',
    run: async ({ connection, input: { calendarId: calendar, eventId: event, ifMatch, notify } }) => {
      const client = this.client(connection, 'google.events.delete', { ifMatch });
      await foundOrNot(() => callSdk(() => client.events.delete({ calendarId: calendar, eventId: event, sendUpdates: notify })));
      return { deleted: true as const };
    },
  });

  readonly queryFreeBusy = defineOperation({
    name: 'freeBusy.query',
    provider: GOOGLE,
    title: 'See when somebody is busy',
    description: 'The busy times of calendars in a window of three months at most, without what happens there.',
    input: z
      .strictObject({ calendarIds: z.array(calendarId).min(1).max(50).default(['primary']), timeMin: instant, timeMax: instant })
      .refine(({ timeMin, timeMax }) => inFreeBusyWindow(Date.parse(timeMax) - Date.parse(timeMin)), {
        error: 'must be after timeMin, by three months at most',
        path: ['timeMax'],
      }),
    output: z.object({
      data: z.array(
        z.object({
          calendarId: z.string(),
          busy: z.array(z.object({ start: z.string(), end: z.string() })).describe('ISO 8601.'),
          error: z.string().nullable().describe("Google's reason where this calendar could not be read."),
        }),
      ),
    }),
    effect: 'read',
    scopes: [CALENDAR_SCOPE],
    widerScopes: { [CALENDAR_SCOPE]: CALENDAR_SCOPES },
    repeat: 'none',
    run: async ({ connection, input: { calendarIds, timeMin, timeMax } }) => {
      const client = this.client(connection, 'google.freeBusy.query');
      const requestBody = { timeMin, timeMax, items: calendarIds.map((id) => ({ id })) };
      const { data } = await callSdk(() => client.freebusy.query({ requestBody }));
      if (!data.calendars) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
      return { data: Object.entries(data.calendars).map(([id, found]) => busyTimesOf(id, found)) };
    },
  });

  readonly all = [this.listEvents, this.createEvent, this.updateEvent, this.deleteEvent, this.queryFreeBusy];

  private client(
    connection: ConnectionRef,
    operation: string,
    { ifMatch, signal }: { ifMatch?: string; signal?: AbortSignal } = {},
  ): calendar_v3.Calendar {
    const fetch = this.http.fetchFor(connection, { operation, signal });
    if (ifMatch === undefined) return calendarClient(fetch, this.rootUrl);
    return calendarClient((url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('if-match', ifMatch);
      return fetch(url, { ...init, headers });
    }, this.rootUrl);
  }
}

/** Ids of events are base32hex: https://developers.google.com/workspace/calendar/api/v3/reference/events/insert */
function eventIdOf(operationId: string): string {
  return operationId.replaceAll('-', '');
}

/** https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query */
function inFreeBusyWindow(lengthMs: number): boolean {
  return lengthMs > 0 && lengthMs <= 92 * 86_400_000;
}

/** Of a calendar that could not be read there are no busy times: the reason says so, and it is not free. */
function busyTimesOf(calendarId: string, { busy, errors }: calendar_v3.Schema$FreeBusyCalendar) {
  return {
    calendarId,
    busy: (busy ?? []).flatMap(({ start, end }) => (start && end ? [{ start, end }] : [])),
    error: errors?.[0]?.reason ?? null,
  };
}

async function foundOrNot<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof IntegrationError && error.code === 'provider_not_found') return undefined;
    throw error;
  }
}

function answerOf({ data }: { data: calendar_v3.Schema$Event }): z.output<typeof written> {
  if (!data.id || !data.etag) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
  return { id: data.id, etag: data.etag, status: data.status ?? 'confirmed', link: data.htmlLink ?? null };
}
