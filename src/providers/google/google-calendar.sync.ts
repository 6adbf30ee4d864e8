import { Inject, Injectable } from '@nestjs/common';
import type { calendar_v3 } from 'googleapis/build/src/apis/calendar';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  callSdk,
  type Extent,
  type PartitionList,
  type SyncContext,
  type SyncPage,
  type SyncRecord,
  type SyncResource,
  type WatchFacts,
} from '../../integrations';
import { allowed } from './google-auth.service';
import { calendarClient } from './google.clients';
import { CALENDAR_SCOPE, CALENDAR_SCOPES, GOOGLE, googleRoots } from './google.facts';
import { googleSettings } from './google.settings';
import { calendarShape, eventShape } from './google.shapes';

const PAGE_SIZE = 250;
const DAY_MS = 86_400_000;

/**
 * A sync token only serves the query that made it, so the query is kept with it: changing this constant costs no connection its place.
 * No window of time: it would be frozen into the token. https://developers.google.com/workspace/calendar/api/guides/sync
 */
const EVENTS_QUERY = { maxResults: PAGE_SIZE, showHiddenInvitations: true };
/** A calendar that a person hid from the list is there all the same. */
const CALENDARS_QUERY = { maxResults: PAGE_SIZE, showHidden: true };

const cursorShape = z.object({ syncToken: z.string().min(1), query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) });
const checkpointShape = z.object({ pageToken: z.string().min(1) });

const NEEDS = { scopes: [CALENDAR_SCOPE], widerScopes: { [CALENDAR_SCOPE]: CALENDAR_SCOPES } };

type Query = z.output<typeof cursorShape>['query'];
interface ListAnswer {
  readonly items: readonly SyncRecord[];
  readonly nextPageToken?: string;
  readonly nextSyncToken?: string;
}
type List = (query: Query & { pageToken?: string; syncToken?: string }) => Promise<ListAnswer>;

@Injectable()
export class GoogleCalendarSync {
  readonly calendars: SyncResource;
  readonly events: SyncResource;
  private readonly rootUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.rootUrl = googleRoots(providerSettings(settings, googleSettings)).calendar;
    this.calendars = {
      name: 'calendars',
      label: 'Calendars',
      shape: calendarShape,
      ...NEEDS,
      partitions: ({ connection }) => Promise.resolve(allowed(connection, CALENDAR_SCOPES)),
      full: (context) => full(context, this.listCalendars(context), CALENDARS_QUERY),
      incremental: (context) => incremental(context, this.listCalendars(context)),
      watch: this.watch((client, requestBody) => client.calendarList.watch({ requestBody })),
    };
    this.events = {
      name: 'events',
      label: 'Calendar events',
      shape: eventShape,
      ...NEEDS,
      partitions: (context) => this.calendarIds(context),
      full: (context) => full(context, this.listEvents(context), EVENTS_QUERY),
      incremental: (context) => incremental(context, this.listEvents(context)),
      watch: this.watch((client, requestBody, calendarId) => client.events.watch({ calendarId, requestBody })),
    };
  }

  private async calendarIds(context: SyncContext): Promise<PartitionList> {
    const names = allowed(context.connection, CALENDAR_SCOPES);
    if (!names.complete) return names;
    const [ids, gone]: [string[], string[]] = [[], []];
    const list = this.listCalendars(context);
    for (let pageToken: string | undefined; ;) {
      context.signal.throwIfAborted();
      const page = await list({ ...CALENDARS_QUERY, showDeleted: true, ...(pageToken === undefined ? {} : { pageToken }) });
      for (const { id, deleted } of page.items) (deleted ? gone : ids).push(id);
      pageToken = page.nextPageToken;
      if (pageToken === undefined) return { names: ids, gone, complete: true };
    }
  }

  private listCalendars({ fetch }: SyncContext): List {
    const client = calendarClient(fetch, this.rootUrl);
    return async (query) => {
      const { data } = await callSdk(() => client.calendarList.list(query));
      return answerOf(data, ({ id, deleted, ...rest }) => (id ? [deleted ? { id, deleted } : { id, data: { id, ...rest } }] : []));
    };
  }

  private listEvents({ fetch, partition }: SyncContext): List {
    const client = calendarClient(fetch, this.rootUrl);
    return async (query) => {
      const { data } = await callSdk(() => client.events.list({ ...query, calendarId: partition }));
      return answerOf(data, (event) => (event.id ? [eventRecord({ ...event, id: event.id })] : []));
    };
  }

  /** Channels cannot be renewed, only replaced: https://developers.google.com/workspace/calendar/api/guides/push */
  private watch(
    create: (
      client: calendar_v3.Calendar,
      channel: calendar_v3.Schema$Channel,
      calendarId: string,
    ) => Promise<{ data: calendar_v3.Schema$Channel }>,
  ): WatchFacts {
    return {
      renewBeforeMs: DAY_MS,
      create: async ({ fetch, partition, channelId, token, address }) => {
        const client = calendarClient(fetch, this.rootUrl);
        const { data } = await callSdk(() => create(client, { id: channelId, token, address, type: 'web_hook' }, partition));
        const expiresAt = Number(data.expiration);
        if (!data.resourceId || !Number.isFinite(expiresAt)) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
        return { remoteId: data.resourceId, expiresAt };
      },
      stop: async ({ fetch, channelId, remoteId }) => {
        try {
          await callSdk(() => calendarClient(fetch, this.rootUrl).channels.stop({ requestBody: { id: channelId, resourceId: remoteId } }));
        } catch (error) {
          if (!(error instanceof IntegrationError && error.code === 'provider_not_found')) throw error;
        }
      },
    };
  }
}

async function* full(context: SyncContext, list: List, query: Query): AsyncGenerator<SyncPage, Extent, void> {
  try {
    yield* walk(context, list, query);
    return { complete: true };
  } catch (error) {
    // It went away since the list of calendars was read: the next list tells.
    if (!isGone(error)) throw error;
    return { complete: false, why: 'The calendar was not found.' };
  }
}

async function* incremental(context: SyncContext & { readonly cursor: unknown }, list: List): AsyncIterable<SyncPage> {
  const cursor = cursorShape.safeParse(context.cursor);
  if (!cursor.success) throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE });
  try {
    yield* walk(context, list, cursor.data.query, cursor.data.syncToken);
  } catch (error) {
    // 400 to a query that was good before means the token; 404 that the calendar is gone, which the full run that follows tells.
    if (isGone(error) || (error instanceof IntegrationError && error.providerStatus === 400))
      throw new IntegrationError('sync_cursor_expired', { provider: GOOGLE, cause: error });
    throw error;
  }
}

/** Page by page; the sync token comes with the last page only, and counts from then on. */
async function* walk(context: SyncContext, list: List, query: Query, syncToken?: string): AsyncIterable<SyncPage> {
  const resumed = checkpointShape.safeParse(context.checkpoint);
  let pageToken = resumed.success ? resumed.data.pageToken : undefined;
  for (let first = true; ; first = false) {
    context.signal.throwIfAborted();
    let page: ListAnswer;
    try {
      page = await list({ ...query, ...(syncToken === undefined ? {} : { syncToken }), ...(pageToken === undefined ? {} : { pageToken }) });
    } catch (error) {
      // The place where an interrupted run stopped may be forgotten by now.
      const forgotten = first && pageToken !== undefined && error instanceof IntegrationError && error.providerStatus === 400;
      if (!forgotten) throw error;
      pageToken = undefined;
      continue;
    }
    pageToken = page.nextPageToken;
    if (pageToken !== undefined) {
      yield { records: page.items, checkpoint: { pageToken } };
      continue;
    }
    // Without a token what came counts all the same; the next run of this calendar is a full one.
    yield { records: page.items, cursor: page.nextSyncToken === undefined ? null : { syncToken: page.nextSyncToken, query } };
    return;
  }
}

/** An answer without `items` must not look like an empty calendar: everything would be swept. */
function answerOf<T>(
  data: { items?: T[]; nextPageToken?: string | null; nextSyncToken?: string | null; kind?: string | null },
  record: (item: T) => SyncRecord[],
): ListAnswer {
  if (typeof data !== 'object' || data === null || (!Array.isArray(data.items) && data.kind === undefined))
    throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
  return {
    items: (data.items ?? []).flatMap(record),
    nextPageToken: data.nextPageToken ?? undefined,
    nextSyncToken: data.nextSyncToken ?? undefined,
  };
}

/**
 * A cancelled event is a deletion; but a cancelled occurrence of a series that goes on is a fact about the series, to be kept as long as that is
 * (https://developers.google.com/workspace/calendar/api/v3/reference/events, `status`). Of either there may be little more than the id.
 */
export function eventRecord(event: calendar_v3.Schema$Event & { id: string }): SyncRecord {
  const occurrence = event.status === 'cancelled' && !event.recurringEventId ? OCCURRENCE.exec(event.id) : undefined;
  if (occurrence) {
    const [, recurringEventId, date, time] = occurrence;
    const data = { ...event, recurringEventId, originalStartTime: originalStart(date as string, time) };
    return { id: event.id, data, partOf: { id: recurringEventId as string, required: true } };
  }
  if (event.status === 'cancelled' && !event.recurringEventId) return { id: event.id, deleted: true };
  // An exception that goes on may outlive its series (for somebody who is invited to that one only); a cancelled one says nothing without it.
  const partOf = event.recurringEventId && { id: event.recurringEventId, required: event.status === 'cancelled' };
  return { id: event.id, data: event, ...(partOf && { partOf }) };
}

/** The id of an occurrence: its series, and when it would have begun, in UTC or as a day. */
const OCCURRENCE = /^(.+)_(\d{8})(?:T(\d{6})Z)?$/;

function originalStart(date: string, time: string | undefined): calendar_v3.Schema$EventDateTime {
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return time === undefined
    ? { date: day }
    : { dateTime: `${day}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`, timeZone: 'UTC' };
}

function isGone(error: unknown): boolean {
  return error instanceof IntegrationError && error.code === 'provider_not_found';
}
