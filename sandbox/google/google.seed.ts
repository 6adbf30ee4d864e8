import { sha256, SeededRandom } from '../random';
import type { Json } from '../sandbox.types';
import { type Calendar, FIRST_HISTORY_ID, type GoogleAccount } from './google.state';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TITLES = ['Planning', 'Review', 'Lunch', 'Interview', 'One on one', 'Demo', 'Retro', 'Café avec Zoë', 'Support call', 'Release'];
const EVENT_ALPHABET = 'abcdefghijklmnopqrstuv0123456789';

/** A person with two calendars, about 40 events and 10 mails, that follow from the seed. */
export function seedAccount(email: string, seed: number, nowMs: number): GoogleAccount {
  const random = new SeededRandom(`${seed} google ${email}`);
  const domain = email.split('@')[1] ?? 'acme.test';
  const [local = 'someone'] = email.split('@');
  const account: GoogleAccount = {
    email,
    sub: `1${BigInt(`0x${sha256(email).slice(0, 16)}`)
      .toString()
      .padStart(20, '0')
      .slice(0, 20)}`,
    name: local.charAt(0).toUpperCase() + local.slice(1),
    calendars: new Map(),
    seq: 0,
    syncEpoch: 1,
    channels: new Map(),
    usedChannelIds: new Set(),
    mail: new Map(),
    history: [],
    historyId: FIRST_HISTORY_ID,
    oldestHistoryId: FIRST_HISTORY_ID,
    mailWatchUntil: 0,
  };
  const primary = addCalendar(account, { id: email, summary: email, primary: true, accessRole: 'owner' });
  const team = addCalendar(account, {
    id: `team_${random.id(12, EVENT_ALPHABET)}@group.calendar.google.com`,
    summary: `Team ${domain}`,
    primary: false,
    accessRole: 'writer',
  });
  const midnight = Math.floor(nowMs / DAY_MS) * DAY_MS;
  for (let i = 0; i < 36; i++) {
    const start = midnight + (i - 12) * DAY_MS + (8 + random.below(9)) * HOUR_MS;
    const allDay = i % 9 === 4;
    putEvent(account, i % 3 === 2 ? team : primary, random.id(26, EVENT_ALPHABET), nowMs, {
      summary: `${random.pick(TITLES)} ${i + 1}`,
      start: allDay ? { date: day(start) } : { dateTime: new Date(start).toISOString(), timeZone: 'Europe/Berlin' },
      end: allDay ? { date: day(start + DAY_MS) } : { dateTime: new Date(start + HOUR_MS).toISOString(), timeZone: 'Europe/Berlin' },
      ...(i % 4 === 0 ? { description: 'Bring notes.', location: 'Room 4' } : {}),
    });
  }
  addSeries(account, primary, random, midnight, nowMs);
  const gone = putEvent(account, team, random.id(26, EVENT_ALPHABET), nowMs, {
    summary: 'Called off',
    start: { dateTime: new Date(midnight + 30 * HOUR_MS).toISOString() },
    end: { dateTime: new Date(midnight + 31 * HOUR_MS).toISOString() },
  });
  gone.data['status'] = 'cancelled';
  for (let i = 0; i < 10; i++) seedMail(account, random, domain, nowMs - (10 - i) * 6 * HOUR_MS, i);
  return account;
}

export function addCalendar(account: GoogleAccount, fields: Pick<Calendar, 'id' | 'summary' | 'primary' | 'accessRole'>): Calendar {
  const calendar: Calendar = { ...fields, timeZone: 'Europe/Berlin', seq: ++account.seq, events: new Map() };
  account.calendars.set(calendar.id, calendar);
  return calendar;
}

/** Writes an event in Google's shape: https://developers.google.com/workspace/calendar/api/v3/reference/events */
export function putEvent(account: GoogleAccount, calendar: Calendar, id: string, nowMs: number, fields: Json): { data: Json } {
  const seq = ++account.seq;
  const before = calendar.events.get(id);
  const old = before?.data;
  const person = { email: account.email, ...(calendar.primary ? { self: true } : {}) };
  const data: Json = {
    kind: 'calendar#event',
    etag: `"${seq * 2}"`,
    id,
    status: 'confirmed',
    htmlLink: `https://www.google.com/calendar/event?eid=${Buffer.from(`${id} ${calendar.id}`).toString('base64url')}`,
    created: old?.['created'] ?? new Date(nowMs).toISOString(),
    creator: person,
    organizer: calendar.primary ? person : { email: calendar.id, displayName: calendar.summary, self: true },
    iCalUID: `${id}@google.com`,
    sequence: old ? Number(old['sequence'] ?? 0) + 1 : 0,
    reminders: { useDefault: true },
    eventType: 'default',
    ...old,
    ...fields,
    updated: new Date(nowMs).toISOString(),
  };
  data['etag'] = `"${seq * 2}"`;
  const stored = { id, seq, ordinal: before?.ordinal ?? seq, data };
  calendar.events.set(id, stored);
  return stored;
}

/** A weekly series with one instance moved and one called off. */
function addSeries(account: GoogleAccount, calendar: Calendar, random: SeededRandom, midnight: number, nowMs: number): void {
  const id = random.id(26, EVENT_ALPHABET);
  const first = midnight - 7 * DAY_MS + 9 * HOUR_MS;
  const at = (ms: number): Json => ({ dateTime: new Date(ms).toISOString(), timeZone: 'Europe/Berlin' });
  putEvent(account, calendar, id, nowMs, {
    summary: 'Weekly sync',
    start: at(first),
    end: at(first + HOUR_MS),
    recurrence: ['RRULE:FREQ=WEEKLY;COUNT=8'],
  });
  const exception = (week: number, fields: Json): void => {
    const original = first + week * 7 * DAY_MS;
    putEvent(account, calendar, instanceId(id, original), nowMs, {
      summary: 'Weekly sync',
      recurringEventId: id,
      originalStartTime: at(original),
      iCalUID: `${id}@google.com`,
      ...fields,
    });
  };
  exception(2, { start: at(first + 14 * DAY_MS + 2 * HOUR_MS), end: at(first + 14 * DAY_MS + 3 * HOUR_MS) });
  exception(3, { status: 'cancelled' });
}

function seedMail(account: GoogleAccount, random: SeededRandom, domain: string, at: number, index: number): void {
  const id = (0x1900000000000000n + BigInt(account.historyId)).toString(16);
  const raw = [
    `From: Grace <grace@${domain}>`,
    `To: ${account.email}`,
    `Subject: ${random.pick(TITLES)} ${index + 1}`,
    `Date: ${new Date(at).toUTCString()}`,
    `Message-ID: <seed-${index}@${domain}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Seeded mail number ${index + 1}.`,
  ].join('\r\n');
  account.historyId += 7;
  account.mail.set(id, { id, threadId: id, labelIds: ['INBOX', 'UNREAD'], raw, internalDate: at, historyId: account.historyId });
}

export function instanceId(masterId: string, originalMs: number): string {
  return `${masterId}_${new Date(originalMs).toISOString().replace(/[-:]|\.\d+/g, '')}`;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
