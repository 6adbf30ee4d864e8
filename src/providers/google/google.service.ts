import { Inject, Injectable } from '@nestjs/common';
import type { calendar_v3 } from 'googleapis/build/src/apis/calendar';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import { callSdk, GovernedHttp, type ConnectionRef } from '../../integrations';
import { calendarClient, gmailClient } from './google.clients';
import { GOOGLE, googleRoots } from './google.facts';
import { composeMail, type SendEmail } from './google-mail.composer';
import { googleSettings } from './google.settings';

const DAY_MS = 86_400_000;
/** A large attachment takes its time on the way up. */
const SEND_TIMEOUT_MS = 60_000;
const MAX_WINDOW_DAYS = 366;
const DEFAULT_WINDOW_DAYS = 30;

export interface EventWindow {
  /** ISO 8601; default now. */
  readonly timeMin?: string;
  /** ISO 8601; default 30 days later, at most a year. */
  readonly timeMax?: string;
  readonly limit: number;
  readonly position?: EventPosition;
}

/** Where a list goes on: the window belongs to it, as Google wants the same query again. */
export const eventPosition = z.strictObject({ calendarId: z.string(), timeMin: z.string(), timeMax: z.string(), pageToken: z.string() });
export type EventPosition = z.output<typeof eventPosition>;

export interface CalendarEvent {
  readonly id: string;
  readonly status: string;
  readonly summary: string;
  readonly description: string | null;
  readonly location: string | null;
  /** ISO 8601; of an all-day event the date alone. */
  readonly start: string | null;
  /** Like `start`; of an all-day event the day after its last. */
  readonly end: string | null;
  readonly allDay: boolean;
  readonly timeZone: string | null;
  /** Id of the series that it belongs to. */
  readonly recurringEventId: string | null;
  readonly link: string | null;
}

/** What people do with Google. */
@Injectable()
export class GoogleService {
  private readonly roots: { calendar: string; gmail: string };

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly http: GovernedHttp,
  ) {
    this.roots = googleRoots(providerSettings(settings, googleSettings));
  }

  /** Sends from the connected account. Gmail has no idempotency key, so a send of doubtful outcome is never repeated here. */
  async sendEmail(
    connection: ConnectionRef,
    mail: SendEmail,
    operationId: string,
    signal?: AbortSignal,
  ): Promise<{ messageId: string; threadId: string }> {
    const own = connection.metadata['email'];
    const raw = await composeMail(mail, {
      messageId: `<${this.messageIdOf(operationId)}>`,
      date: new Date(this.clock.now()),
      ...(typeof own === 'string' ? { from: own } : {}),
    });
    const client = gmailClient(
      this.http.fetchFor(connection, { operation: 'google.emails.send', deadlineMs: SEND_TIMEOUT_MS, signal }),
      this.roots.gmail,
    );
    const requestBody = { raw: raw.toString('base64url'), ...(mail.replyTo && { threadId: mail.replyTo.threadId }) };
    const { data } = await callSdk(() => client.users.messages.send({ userId: 'me', requestBody }));
    if (!data.id || !data.threadId) throw new IntegrationError('provider_bad_answer', { provider: GOOGLE });
    return { messageId: data.id, threadId: data.threadId };
  }

  /**
   * The mail of an operation, where it was sent. Gmail may have given it another Message-ID, and a search may be behind: not found says nothing.
   * https://developers.google.com/workspace/gmail/api/guides/filtering
   */
  async findSentEmail(
    connection: ConnectionRef,
    operationId: string,
    signal?: AbortSignal,
  ): Promise<{ messageId: string; threadId: string } | undefined> {
    const client = gmailClient(this.http.fetchFor(connection, { operation: 'google.emails.find', signal }), this.roots.gmail);
    const q = `rfc822msgid:${this.messageIdOf(operationId)}`;
    const { data } = await callSdk(() => client.users.messages.list({ userId: 'me', q, maxResults: 2 }));
    const [found, another] = data.messages ?? [];
    return found?.id && found.threadId && !another ? { messageId: found.id, threadId: found.threadId } : undefined;
  }

  /** Occurrences in a window by their start, asked live. @throws IntegrationError `invalid_request`, `invalid_cursor`, ... */
  async listEvents(
    connection: ConnectionRef,
    calendarId: string,
    window: EventWindow,
    signal?: AbortSignal,
  ): Promise<{ events: CalendarEvent[]; next?: EventPosition }> {
    const { position } = window;
    if (position && position.calendarId !== calendarId) throw new IntegrationError('invalid_cursor', { provider: GOOGLE });
    const { timeMin, timeMax } = position ?? this.bounds(window);
    const client = calendarClient(this.http.fetchFor(connection, { operation: 'google.events.list', signal }), this.roots.calendar);
    const query = { calendarId, timeMin, timeMax, singleEvents: true, orderBy: 'startTime', maxResults: window.limit };
    const { data } = await callSdk(() =>
      client.events.list({ ...query, ...(position === undefined ? {} : { pageToken: position.pageToken }) }),
    ).catch((error: unknown) => {
      if (position && error instanceof IntegrationError && error.providerStatus === 400)
        throw new IntegrationError('invalid_cursor', { provider: GOOGLE, cause: error });
      throw error;
    });
    const events = (data.items ?? []).flatMap((event) => (event.id ? [eventOf({ ...event, id: event.id })] : []));
    return { events, ...(data.nextPageToken ? { next: { calendarId, timeMin, timeMax, pageToken: data.nextPageToken } } : {}) };
  }

  private messageIdOf(operationId: string): string {
    return `${operationId}@${new URL(this.settings.publicUrl).hostname}`;
  }

  private bounds(window: EventWindow): { timeMin: string; timeMax: string } {
    const from = window.timeMin === undefined ? this.clock.now() : Date.parse(window.timeMin);
    const to = window.timeMax === undefined ? from + DEFAULT_WINDOW_DAYS * DAY_MS : Date.parse(window.timeMax);
    if (!(from < to)) throw new IntegrationError('invalid_request', { detail: 'timeMax must be after timeMin.' });
    if (to - from > MAX_WINDOW_DAYS * DAY_MS)
      throw new IntegrationError('invalid_request', { detail: `The window must not be longer than ${MAX_WINDOW_DAYS} days.` });
    return { timeMin: new Date(from).toISOString(), timeMax: new Date(to).toISOString() };
  }
}

function eventOf(event: calendar_v3.Schema$Event & { id: string }): CalendarEvent {
  return {
    id: event.id,
    status: event.status ?? 'confirmed',
    summary: event.summary ?? '',
    description: event.description ?? null,
    location: event.location ?? null,
    start: event.start?.dateTime ?? event.start?.date ?? null,
    end: event.end?.dateTime ?? event.end?.date ?? null,
    allDay: event.start?.date !== undefined && event.start.date !== null,
    timeZone: event.start?.timeZone ?? null,
    recurringEventId: event.recurringEventId ?? null,
    link: event.htmlLink ?? null,
  };
}
