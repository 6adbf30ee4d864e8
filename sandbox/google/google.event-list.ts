import { record } from '../form-body';
import { pageFrom } from '../paging';
import type { Json } from '../sandbox.types';
import { badRequest, syncTokenGone } from './google.errors';
import { expandSeries, isSeries, timeOf } from './google.recurrence';
import type { Calendar, GoogleAccount, StoredEvent } from './google.state';

const FORBIDDEN_WITH_SYNC_TOKEN = [
  'iCalUID',
  'orderBy',
  'privateExtendedProperty',
  'q',
  'sharedExtendedProperty',
  'timeMin',
  'timeMax',
  'updatedMin',
];
/** Frozen into the sync token, so that later lists see the same window. */
const FROZEN = ['singleEvents', 'timeMin', 'timeMax'];
const MAX_RESULTS = 2500;
const DEFAULT_RESULTS = 250;

interface PageToken {
  /** Changes up to here belong to this list; later ones to the next. */
  upTo: number;
  /** Sort key of the last event sent; changes between pages neither skip nor repeat what stayed. */
  after: SortKey | null;
  query: string;
}

type SortKey = [number, string];
type KeyOf = (event: StoredEvent) => SortKey;

interface SyncToken {
  calendar: string;
  seq: number;
  epoch: number;
  frozen: Record<string, string>;
}

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/list */
export function listEvents(account: GoogleAccount, calendar: Calendar, query: URLSearchParams, nowMs: number): Json {
  const syncText = query.get('syncToken');
  const sync = syncText ? readSyncToken(account, calendar, syncText, query) : null;
  const settings = sync ? new URLSearchParams(sync.frozen) : query;
  checkCombination(query, settings);
  const size = sizeOf(query.get('maxResults'));
  const page = readPageToken(query, account.seq);

  const keyOf = keyFor(settings, sync);
  const found = cachedSelect(account, calendar, settings, sync, query.get('showDeleted') === 'true', keyOf);
  const start = page.after === null ? 0 : placeAfter(found, page.after, keyOf);
  const { items, next } = pageFrom(found, start, size);
  const orderBy = query.get('orderBy');
  const result: Json = {
    kind: 'calendar#events',
    etag: `"p${account.seq}"`,
    summary: calendar.summary,
    description: '',
    updated: new Date(nowMs).toISOString(),
    timeZone: calendar.timeZone,
    accessRole: calendar.accessRole,
    defaultReminders: [],
    items: items.map((event) => (event.data['status'] === 'cancelled' ? cancelledView(event) : event.data)),
  };
  if (next !== undefined) {
    const last = items.at(-1) as StoredEvent;
    result['nextPageToken'] = encode({ ...page, after: keyOf(last) });
  } else if (!orderBy && !query.get('q') && !query.get('updatedMin')) {
    const frozen = Object.fromEntries(
      FROZEN.flatMap((name) => (settings.get(name) === null ? [] : [[name, settings.get(name) as string]])),
    );
    result['nextSyncToken'] = encode({ calendar: calendar.id, seq: page.upTo, epoch: account.syncEpoch, frozen } satisfies SyncToken);
  }
  return result;
}

function select(calendar: Calendar, settings: URLSearchParams, sync: SyncToken | null, showDeleted: boolean): StoredEvent[] {
  const single = settings.get('singleEvents') === 'true';
  const timeMin = instant(settings, 'timeMin');
  const timeMax = instant(settings, 'timeMax');
  const updatedMin = instant(settings, 'updatedMin');
  const words = settings.get('q')?.toLowerCase();
  const all: StoredEvent[] = [];
  for (const event of calendar.events.values()) {
    if (sync && event.seq <= sync.seq) continue;
    if (single && isSeries(event)) all.push(...expandSeries(calendar, event));
    else all.push(event);
  }
  return all.filter((event) => {
    const cancelled = event.data['status'] === 'cancelled';
    // An exception of a series that still stands is shown even when cancelled, unless instances are listed singly.
    if (cancelled && !sync && !showDeleted && (single || !event.data['recurringEventId'])) return false;
    if (updatedMin !== null && Date.parse(String(event.data['updated'])) < updatedMin) return false;
    if (words && !`${String(event.data['summary'] ?? '')} ${String(event.data['description'] ?? '')}`.toLowerCase().includes(words))
      return false;
    const start = timeOf(event.data['start']);
    const end = timeOf(event.data['end']);
    if (start === null || end === null || Array.isArray(event.data['recurrence'])) return true;
    return (timeMin === null || end > timeMin) && (timeMax === null || start < timeMax);
  });
}

const cache = new WeakMap<Calendar, { key: string; found: StoredEvent[] }>();

/** The pages of one list come from one selection, as long as nothing changes. */
function cachedSelect(
  account: GoogleAccount,
  calendar: Calendar,
  settings: URLSearchParams,
  sync: SyncToken | null,
  showDeleted: boolean,
  keyOf: KeyOf,
): StoredEvent[] {
  const key = `${account.seq} ${sync?.seq ?? ''} ${String(showDeleted)} ${['singleEvents', 'timeMin', 'timeMax', 'updatedMin', 'q', 'orderBy'].map((name) => settings.get(name) ?? '').join('|')}`;
  const kept = cache.get(calendar);
  if (kept?.key === key) return kept.found;
  const found = select(calendar, settings, sync, showDeleted).sort((a, b) => compare(keyOf(a), keyOf(b)));
  cache.set(calendar, { key, found });
  return found;
}

function keyFor(settings: URLSearchParams, sync: SyncToken | null): KeyOf {
  if (settings.get('orderBy') === 'startTime') return (event) => [timeOf(event.data['start']) ?? 0, event.id];
  if (sync || settings.get('orderBy') === 'updated') return (event) => [event.seq, event.id];
  return (event) => [event.ordinal, event.id];
}

function compare(a: SortKey, b: SortKey): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}

function placeAfter(found: StoredEvent[], after: SortKey, keyOf: KeyOf): number {
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(keyOf(found[middle] as StoredEvent), after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cancelledView(event: StoredEvent): Json {
  const { recurringEventId, originalStartTime } = event.data;
  return {
    kind: 'calendar#event',
    etag: event.data['etag'],
    id: event.id,
    status: 'cancelled',
    ...(recurringEventId ? { recurringEventId, originalStartTime } : {}),
  };
}

function readSyncToken(account: GoogleAccount, calendar: Calendar, raw: string, query: URLSearchParams): SyncToken {
  const forbidden = FORBIDDEN_WITH_SYNC_TOKEN.filter((name) => query.has(name));
  if (forbidden.length > 0) throw badRequest(`Sync token cannot be used with: ${forbidden.join(', ')}`);
  if (query.get('showDeleted') === 'false') throw badRequest('Sync token cannot be used with showDeleted=false');
  const token = decode(raw);
  const frozen = record(token?.['frozen']) as Record<string, string>;
  if (!token || token['calendar'] !== calendar.id || token['epoch'] !== account.syncEpoch || typeof token['seq'] !== 'number')
    throw syncTokenGone();
  if (query.has('singleEvents') && (query.get('singleEvents') === 'true') !== (frozen['singleEvents'] === 'true'))
    throw badRequest('Sync token was made with other parameters: singleEvents', 'singleEvents');
  return { calendar: calendar.id, seq: token['seq'], epoch: account.syncEpoch, frozen };
}

function readPageToken(query: URLSearchParams, seq: number): PageToken {
  const shape = [...query]
    .filter(([name]) => !['pageToken', 'maxResults', 'alt', 'prettyPrint'].includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');
  const raw = query.get('pageToken');
  if (!raw) return { upTo: seq, after: null, query: shape };
  const token = decode(raw);
  if (!token || token['query'] !== shape || !Array.isArray(token['after'])) throw badRequest('Invalid page token value.', 'pageToken');
  return { upTo: Number(token['upTo']), after: [Number(token['after'][0]), String(token['after'][1])], query: shape };
}

function checkCombination(query: URLSearchParams, settings: URLSearchParams): void {
  if (query.get('orderBy') === 'startTime' && settings.get('singleEvents') !== 'true')
    throw badRequest('The requested ordering is not available for the particular query.', 'orderBy');
  for (const name of ['timeMin', 'timeMax', 'updatedMin']) instant(settings, name);
}

function instant(settings: URLSearchParams, name: string): number | null {
  const value = settings.get(name);
  if (value === null || value === '') return null;
  const ms = Date.parse(value);
  if (Number.isNaN(ms) || !/T.*(Z|[+-]\d\d:\d\d)$/.test(value))
    throw badRequest(`Invalid value for ${name}: an RFC 3339 time with an offset is needed`, name);
  return ms;
}

function sizeOf(value: string | null): number {
  if (value === null) return DEFAULT_RESULTS;
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1) throw badRequest('Invalid value for maxResults', 'maxResults');
  return Math.min(size, MAX_RESULTS);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(raw: string): Json | null {
  try {
    return record(JSON.parse(Buffer.from(raw, 'base64url').toString('utf8')) as unknown);
  } catch {
    return null;
  }
}
