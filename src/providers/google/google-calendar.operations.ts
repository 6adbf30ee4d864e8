import { Inject, Injectable } from '@nestjs/common';
import type { calendar_v3 } from 'googleapis/build/src/apis/calendar';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { callSdk, defineOperation, GovernedHttp, type ConnectionRef } from '../../integrations';
import { calendarClient } from './google.clients';
import { CALENDAR_WRITE_SCOPE, CALENDAR_WRITE_SCOPES, GOOGLE, googleRoots } from './google.facts';

const calendarId = z.string().min(1).max(1_024).default('primary');
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
  attendees: z.array(z.strictObject({ email: z.email().max(320), optional: z.boolean().optional() })).max(200),
};
const NOTIFY = z.enum(['all', 'externalOnly', 'none']).default('none').describe('Who of the attendees is told by e-mail.');

const written = z.object({
  id: z.string(),
  etag: z.string().describe('Give it as ifMatch to change the event only if nobody else has.'),
  status: z.string(),
  link: z.string().nullable(),
});
const COMMON = {
  provider: GOOGLE,
  scopes: [CALENDAR_WRITE_SCOPE],
  widerScopes: { [CALENDAR_WRITE_SCOPE]: CALENDAR_WRITE_SCOPES },
};

/** What changes a calendar. https://developers.google.com/workspace/calendar/api/v3/reference/events */
@Injectable()
export class GoogleCalendarOperations {
  private readonly rootUrl: string;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly http: GovernedHttp,
  ) {
    this.rootUrl = googleRoots(settings.providers[GOOGLE] ?? { webhookSecrets: [] }).calendar;
  }

  /** The event's id is made of ours: one of doubtful outcome is found by it. */
  readonly createEvent = defineOperation({
    ...COMMON,
    name: 'events.create',
    title: 'Create an event',
    description: 'Makes an event in a calendar of the account; attendees are told only where notify says so.',
    input: z.strictObject({
      calendarId,
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
    ...COMMON,
    name: 'events.update',
    title: 'Change an event',
    description: 'Changes the fields that are given and leaves the others; with ifMatch only if the event is still as it was read.',
    input: z.strictObject({
      calendarId,
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
    ...COMMON,
    name: 'events.delete',
    title: 'Delete an event',
    description: 'Removes an event; one that is gone already counts as deleted.',
    input: z.strictObject({ calendarId, eventId, notify: NOTIFY }),
    output: z.object({ deleted: z.literal(true) }),
    effect: 'destructive',
    idempotent: true,
    repeat: 'none',
    run: async ({ connection, input: { calendarId: calendar, eventId: event, notify } }) => {
      const client = this.client(connection, 'google.events.delete');
      await foundOrNot(() => callSdk(() => client.events.delete({ calendarId: calendar, eventId: event, sendUpdates: notify })));
      return { deleted: true as const };
    },
  });

  readonly all = [this.createEvent, this.updateEvent, this.deleteEvent];

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
