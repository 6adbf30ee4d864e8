import type { Json } from '../sandbox.types';
import type { Calendar, GoogleAccount } from './google.state';
import { parseMail } from './mail-parser';

export function googleView(account: GoogleAccount): Json {
  const cancelled = (calendar: Calendar): number =>
    [...calendar.events.values()].filter((event) => event.data['status'] === 'cancelled').length;
  return {
    calendars: [...account.calendars.values()].map((calendar) => ({
      id: calendar.id,
      summary: calendar.summary,
      events: calendar.events.size - cancelled(calendar),
      cancelled: cancelled(calendar),
    })),
    messages: account.mail.size,
    emailsSent: [...account.mail.values()]
      .filter((mail) => mail.labelIds.includes('SENT'))
      .map((mail) => ({ id: mail.id, threadId: mail.threadId, ...parseMail(mail.raw) })),
    historyId: String(account.historyId),
    channels: [...account.channels.values()].map(({ id, resourceId, target, address, expiration }) => ({
      id,
      resourceId,
      target,
      address,
      expiration,
    })),
    mailWatchUntil: account.mailWatchUntil,
  };
}
