import { record, text } from '../form-body';
import { secretText, sha256, SeededRandom } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Json } from '../sandbox.types';
import { badRequest, GoogleFault, notFound } from './google.errors';
import { GooglePush } from './google.push';
import { expandSeries, isSeries } from './google.recurrence';
import { addCalendar, putEvent, seedAccount } from './google.seed';
import type { Calendar, GoogleAccount, GoogleState, HistoryEntry, MailMessage, StoredEvent } from './google.state';

const EVENT_ALPHABET = 'abcdefghijklmnopqrstuv0123456789';
const WRITABLE = [
  'summary',
  'description',
  'location',
  'start',
  'end',
  'status',
  'recurrence',
  'attendees',
  'colorId',
  'visibility',
  'transparency',
  'extendedProperties',
  'reminders',
];

/** The accounts, and every change to calendars and mail with its notification. */
export class GoogleWorld {
  private readonly random: SeededRandom;

  constructor(
    readonly context: SandboxContext,
    readonly state: GoogleState,
    readonly push: GooglePush,
  ) {
    this.random = new SeededRandom(sha256(secretText(16)));
  }

  /** The account, made and filled at first sight. */
  account(email: string): GoogleAccount {
    let account = this.state.accounts.get(email);
    if (!account) {
      account = seedAccount(email, this.context.seed, this.context.now());
      this.state.accounts.set(email, account);
      this.context.changed();
    }
    return account;
  }

  calendar(account: GoogleAccount, id: string): Calendar {
    const calendar = account.calendars.get(id === 'primary' ? account.email : id);
    if (!calendar || calendar.deleted) throw notFound();
    return calendar;
  }

  /** Adds a calendar to the person's list, changes it there, or takes it off. */
  changeCalendar(account: GoogleAccount, fields: Pick<Calendar, 'id'> & Partial<Calendar>): Calendar {
    const added = { summary: 'A calendar', primary: false, accessRole: 'owner', ...fields };
    const calendar = account.calendars.get(fields.id) ?? addCalendar(account, added);
    Object.assign(calendar, fields, { seq: ++account.seq });
    this.context.changed();
    this.push.calendarChanged(account, 'calendarList');
    return calendar;
  }

  insertEvent(account: GoogleAccount, calendar: Calendar, fields: Json): StoredEvent {
    const wanted = text(fields['id']);
    if (wanted !== undefined && !/^[a-v0-9]{5,1024}$/.test(wanted)) throw badRequest('Invalid resource id value.');
    if (wanted !== undefined && calendar.events.has(wanted))
      throw new GoogleFault(409, 'duplicate', 'The requested identifier already exists.');
    const id = wanted ?? this.random.id(26, EVENT_ALPHABET);
    for (const edge of ['start', 'end']) {
      const time = record(fields[edge]);
      if (!time['date'] && !time['dateTime']) throw new GoogleFault(400, 'required', `Missing ${edge} time.`);
    }
    putEvent(account, calendar, id, this.context.now(), pick(fields));
    return this.changed(account, calendar, id);
  }

  updateEvent(account: GoogleAccount, calendar: Calendar, id: string, fields: Json, ifMatch?: string): StoredEvent {
    const event = calendar.events.get(id);
    if (!event) throw notFound();
    assertMatch(event, ifMatch);
    putEvent(account, calendar, id, this.context.now(), pick(fields));
    return this.changed(account, calendar, id);
  }

  deleteEvent(account: GoogleAccount, calendar: Calendar, id: string, ifMatch?: string): void {
    const event = calendar.events.get(id);
    if (!event) return this.callOff(account, calendar, id);
    if (event.data['status'] === 'cancelled') throw new GoogleFault(410, 'deleted', 'Resource has been deleted');
    assertMatch(event, ifMatch);
    putEvent(account, calendar, id, this.context.now(), { status: 'cancelled' });
    this.changed(account, calendar, id);
  }

  /** An occurrence of a series that had no exception of its own gets one: that it is called off. */
  private callOff(account: GoogleAccount, calendar: Calendar, id: string): void {
    const series = [...calendar.events.values()].find((event) => isSeries(event) && id.startsWith(`${event.id}_`));
    const occurrence = series && expandSeries(calendar, series).find((each) => each.id === id);
    if (!series || !occurrence) throw notFound();
    const { originalStartTime } = occurrence.data;
    putEvent(account, calendar, id, this.context.now(), { status: 'cancelled', recurringEventId: series.id, originalStartTime });
    this.changed(account, calendar, id);
  }

  addMail(account: GoogleAccount, raw: string, labelIds: string[], threadId?: string): MailMessage {
    account.historyId += 3;
    const id = (0x1900000000000000n + BigInt(account.historyId)).toString(16);
    const message: MailMessage = {
      id,
      threadId: threadId ?? id,
      labelIds,
      raw,
      internalDate: this.context.now(),
      historyId: account.historyId,
    };
    account.mail.set(id, message);
    this.mailChanged(account, 'messageAdded', message);
    return message;
  }

  deleteMail(account: GoogleAccount, id: string): void {
    const message = account.mail.get(id);
    if (!message) throw notFound('Requested entity was not found.');
    account.mail.delete(id);
    account.historyId += 3;
    this.mailChanged(account, 'messageDeleted', message);
  }

  changeLabels(account: GoogleAccount, message: MailMessage, add: string[], removed: string[]): void {
    account.historyId += 3;
    message.historyId = account.historyId;
    message.labelIds = [...new Set([...message.labelIds, ...add])].filter((label) => !removed.includes(label));
    if (add.length > 0) this.mailChanged(account, 'labelAdded', message, add);
    if (removed.length > 0) this.mailChanged(account, 'labelRemoved', message, removed);
  }

  /** Many records at once, without notifications. */
  fill(account: GoogleAccount, resource: string, count: number): void {
    if (resource === 'events') {
      const calendar = this.calendar(account, 'primary');
      for (let i = 0; i < count; i++) {
        const start = this.context.now() + i * 60_000;
        putEvent(account, calendar, `bulk${(++this.state.serial).toString(32).padStart(8, '0')}`, this.context.now(), {
          summary: `Bulk event ${this.state.serial}`,
          start: { dateTime: new Date(start).toISOString() },
          end: { dateTime: new Date(start + 1_800_000).toISOString() },
        });
      }
    } else if (resource === 'messages') {
      for (let i = 0; i < count; i++) {
        const serial = ++this.state.serial;
        account.historyId += 3;
        const id = (0x1900000000000000n + BigInt(account.historyId)).toString(16);
        account.mail.set(id, {
          id,
          threadId: id,
          labelIds: ['INBOX'],
          raw: `From: bulk@acme.test\r\nTo: ${account.email}\r\nSubject: Bulk ${serial}\r\nMessage-ID: <bulk-${serial}@acme.test>\r\n\r\nBulk.`,
          internalDate: this.context.now(),
          historyId: account.historyId,
        });
        account.history.push({ id: account.historyId, type: 'messageAdded', messageId: id, threadId: id, labelIds: ['INBOX'] });
      }
    } else {
      throw new Error(`google has no resource "${resource}" to seed; events or messages`);
    }
    this.context.changed();
  }

  /** Sync tokens are answered 410 and history ids 404 from now on. */
  expireCursors(email?: string): number {
    const accounts = [...this.state.accounts.values()].filter((account) => !email || account.email === email);
    for (const account of accounts) {
      account.syncEpoch++;
      account.oldestHistoryId = ++account.historyId;
      account.history = [];
    }
    this.context.changed();
    return accounts.length;
  }

  private changed(account: GoogleAccount, calendar: Calendar, id: string): StoredEvent {
    this.context.changed();
    this.push.calendarChanged(account, calendar.id);
    return calendar.events.get(id) as StoredEvent;
  }

  private mailChanged(account: GoogleAccount, type: HistoryEntry['type'], message: MailMessage, labels?: string[]): void {
    account.history.push({
      id: account.historyId,
      type,
      messageId: message.id,
      threadId: message.threadId,
      labelIds: labels ?? message.labelIds,
    });
    this.context.changed();
    this.push.mailChanged(account);
  }
}

function pick(fields: Json): Json {
  return Object.fromEntries(WRITABLE.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}

function assertMatch({ data }: StoredEvent, ifMatch: string | undefined): void {
  if (ifMatch && ifMatch !== '*' && ifMatch !== data['etag'])
    throw new GoogleFault(412, 'conditionNotMet', 'Precondition Failed', { location: 'If-Match', locationType: 'header' });
}
