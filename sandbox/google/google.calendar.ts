import { record, text } from '../form-body';
import { pageFrom } from '../paging';
import { hashPrefix, sha256 } from '../random';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { badRequest, GoogleFault } from './google.errors';
import { listEvents } from './google.event-list';
import type { Calendar, Channel, GoogleAccount } from './google.state';
import type { GoogleWorld } from './google.world';

export type Authorized = (request: SandboxRequest, scopes: string[]) => GoogleAccount;

const AUTH = 'https://www.googleapis.com/auth/';
const LIST = ['calendar', 'calendar.readonly', 'calendar.calendarlist', 'calendar.calendarlist.readonly'].map((scope) => AUTH + scope);
const READ = ['calendar', 'calendar.readonly', 'calendar.events', 'calendar.events.readonly', 'calendar.events.owned'].map(
  (scope) => AUTH + scope,
);
const WRITE = ['calendar', 'calendar.events', 'calendar.events.owned'].map((scope) => AUTH + scope);
const DEFAULT_TTL_S = 7 * 86_400;

/** Calendar API v3: https://developers.google.com/workspace/calendar/api/v3/reference */
export class GoogleCalendarApi {
  constructor(
    private readonly world: GoogleWorld,
    private readonly authorized: Authorized,
  ) {}

  routes(): Route[] {
    const events = '/calendar/v3/calendars/:calendar/events';
    const list = '/calendar/v3/users/me/calendarList';
    return [
      this.route('GET', list, 'calendarList.list', LIST, (account, request) => this.calendarList(account, request)),
      this.route('POST', `${list}/watch`, 'calendarList.watch', LIST, (account, request) => this.watch(account, request, 'calendarList')),
      this.route('GET', `${list}/:calendar`, 'calendarList.get', LIST, (account, request) =>
        ok(this.entry(account, this.calendarOf(account, request).id)),
      ),
      this.route('GET', events, 'events.list', READ, (account, request) =>
        ok(listEvents(account, this.calendarOf(account, request), request.query, this.world.context.now())),
      ),
      this.route('POST', events, 'events.insert', WRITE, (account, request) => this.insert(account, request)),
      this.route('POST', `${events}/watch`, 'events.watch', READ, (account, request) =>
        this.watch(account, request, this.calendarOf(account, request).id),
      ),
      this.route('GET', `${events}/:event`, 'events.get', READ, (account, request) => ok(this.eventOf(account, request))),
      this.route('PATCH', `${events}/:event`, 'events.patch', WRITE, (account, request) => this.update(account, request)),
      this.route('PUT', `${events}/:event`, 'events.update', WRITE, (account, request) => this.update(account, request)),
      this.route('DELETE', `${events}/:event`, 'events.delete', WRITE, (account, request) => this.remove(account, request)),
      this.route('POST', '/calendar/v3/freeBusy', 'freebusy.query', READ, (account, request) => this.freeBusy(account, request)),
      this.route('POST', '/calendar/v3/channels/stop', 'channels.stop', READ, (account, request) => this.stop(account, request)),
    ];
  }

  private route(
    method: string,
    pattern: string,
    endpoint: string,
    scopes: string[],
    run: (account: GoogleAccount, request: SandboxRequest) => SandboxResponse,
  ): Route {
    return {
      method,
      pattern,
      endpoint,
      handle: (request) => {
        try {
          return run(this.authorized(request, scopes), request);
        } catch (error) {
          if (error instanceof GoogleFault) return error.response();
          throw error;
        }
      },
    };
  }

  private calendarOf(account: GoogleAccount, request: SandboxRequest): ReturnType<GoogleWorld['calendar']> {
    return this.world.calendar(account, request.params['calendar'] ?? '');
  }

  private eventOf(account: GoogleAccount, request: SandboxRequest): Json {
    const event = this.calendarOf(account, request).events.get(request.params['event'] ?? '');
    if (!event) throw new GoogleFault(404, 'notFound', 'Not Found');
    return event.data;
  }

  private calendarList(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const all = [...account.calendars.values()].sort((a, b) => a.seq - b.seq);
    const syncToken = request.query.get('syncToken');
    const since = syncToken ? Number(/^cl_(\d+)_/.exec(syncToken)?.[1] ?? NaN) : 0;
    if (syncToken && (Number.isNaN(since) || !syncToken.endsWith(`_${account.syncEpoch}`)))
      throw new GoogleFault(410, 'fullSyncRequired', 'Sync token is no longer valid, a full sync is required.', {}, 'calendar');
    const size = Math.min(250, Number(request.query.get('maxResults') ?? 100));
    const start = Number(request.query.get('pageToken') ?? 0);
    const isShown = ({ deleted, hidden }: Calendar): boolean =>
      (!deleted || syncToken !== null || request.query.get('showDeleted') === 'true') &&
      (!hidden || request.query.get('showHidden') === 'true');
    const found = all.filter((calendar) => calendar.seq > since && isShown(calendar));
    const page = pageFrom(found, start, size);
    return ok({
      kind: 'calendar#calendarList',
      etag: `"p${account.seq}"`,
      ...(page.next !== undefined ? { nextPageToken: String(page.next) } : { nextSyncToken: `cl_${account.seq}_${account.syncEpoch}` }),
      items: page.items.map(({ id, deleted }) => (deleted ? { kind: 'calendar#calendarListEntry', id, deleted } : this.entry(account, id))),
    });
  }

  private entry(account: GoogleAccount, id: string): Json {
    const calendar = this.world.calendar(account, id);
    return {
      kind: 'calendar#calendarListEntry',
      etag: `"${calendar.seq * 2}"`,
      id: calendar.id,
      summary: calendar.summary,
      timeZone: calendar.timeZone,
      colorId: '14',
      backgroundColor: '#9fe1e7',
      foregroundColor: '#000000',
      selected: true,
      accessRole: calendar.accessRole,
      defaultReminders: [],
      conferenceProperties: { allowedConferenceSolutionTypes: ['hangoutsMeet'] },
      ...(calendar.primary ? { primary: true } : {}),
    };
  }

  private insert(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const calendar = this.calendarOf(account, request);
    request.note({
      ...(request.body['id'] ? { eventId: request.body['id'] } : {}),
      textHash: hashPrefix(String(request.body['summary'] ?? '')),
    });
    return ok(this.world.insertEvent(account, calendar, request.body).data);
  }

  private update(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    return ok(
      this.world.updateEvent(
        account,
        this.calendarOf(account, request),
        request.params['event'] ?? '',
        request.body,
        request.headers['if-match'],
      ).data,
    );
  }

  private remove(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const id = request.params['event'] ?? '';
    this.world.deleteEvent(account, this.calendarOf(account, request), id, request.headers['if-match']);
    return { status: 204 };
  }

  /** Busy by what is there in the window; what is cancelled, or shows as free, is not. A calendar that nobody knows has its own error. */
  private freeBusy(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const [timeMin, timeMax] = ['timeMin', 'timeMax'].map((name) => text(request.body[name]) ?? '');
    if (!timeMin || !timeMax) throw badRequest('Missing time bound.', 'timeMin');
    const items = Array.isArray(request.body['items']) ? request.body['items'] : [];
    const calendars = items.map((item) => {
      const id = text(record(item)['id']) ?? '';
      try {
        const query = new URLSearchParams({ timeMin, timeMax, singleEvents: 'true', maxResults: '2500' });
        const { items: found } = listEvents(account, this.world.calendar(account, id), query, this.world.context.now());
        const busy = (found as Json[])
          .filter((event) => event['status'] !== 'cancelled' && event['transparency'] !== 'transparent')
          .map((event) => ({ start: edgeOf(event['start']), end: edgeOf(event['end']) }));
        return [id, { busy }];
      } catch (error) {
        if (!(error instanceof GoogleFault)) throw error;
        return [id, { errors: [{ domain: 'global', reason: 'notFound' }], busy: [] }];
      }
    });
    return ok({ kind: 'calendar#freeBusy', timeMin, timeMax, calendars: Object.fromEntries(calendars) as Json });
  }

  private watch(account: GoogleAccount, request: SandboxRequest, target: string): SandboxResponse {
    const id = text(request.body['id']);
    const address = text(request.body['address']) ?? '';
    if (!id || !/^[A-Za-z0-9_\-+/=]{1,64}$/.test(id)) throw badRequest('Channel id must match [A-Za-z0-9_\\-\\+\\/=]+', 'resource.id');
    if (request.body['type'] !== 'web_hook') throw badRequest('Unknown channel type', 'resource.type');
    if (!/^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(address))
      throw new GoogleFault(400, 'push.webhookUrlNotHttps', `WebHook callback must be HTTPS: ${address}`);
    if (account.usedChannelIds.has(id)) throw new GoogleFault(400, 'channelIdNotUnique', `Channel id ${id} not unique`);
    const now = this.world.context.now();
    const ttlS = Number(record(request.body['params'])['ttl'] ?? DEFAULT_TTL_S);
    const asked = request.body['expiration'] === undefined ? Infinity : Number(request.body['expiration']);
    const path = target === 'calendarList' ? 'users/me/calendarList' : `calendars/${encodeURIComponent(target)}/events`;
    const channel: Channel = {
      id,
      resourceId: sha256(`${account.sub} ${target}`).slice(0, 27),
      resourceUri: `https://www.googleapis.com/calendar/v3/${path}?alt=json`,
      target,
      address,
      token: text(request.body['token']) ?? null,
      expiration: Math.min(asked, now + Math.min(ttlS, DEFAULT_TTL_S) * 1000),
      messageNumber: 0,
    };
    account.usedChannelIds.add(id);
    account.channels.set(id, channel);
    this.world.context.changed();
    this.world.context.sender.enqueue(this.world.push.notification(account, channel, 'sync'));
    return ok({
      kind: 'api#channel',
      id,
      resourceId: channel.resourceId,
      resourceUri: channel.resourceUri,
      ...(channel.token ? { token: channel.token } : {}),
      expiration: String(channel.expiration),
    });
  }

  private stop(account: GoogleAccount, request: SandboxRequest): SandboxResponse {
    const channel = account.channels.get(String(request.body['id'] ?? ''));
    if (!channel || channel.resourceId !== request.body['resourceId'])
      throw new GoogleFault(404, 'notFound', `Channel '${String(request.body['id'])}' not found for project`);
    account.channels.delete(channel.id);
    this.world.context.changed();
    return { status: 204 };
  }
}

function ok(body: Json): SandboxResponse {
  return { status: 200, body };
}

/** Days without a time count from midnight. */
function edgeOf(edge: unknown): string {
  const { dateTime, date } = record(edge);
  return text(dateTime) ?? `${text(date)}T00:00:00Z`;
}
