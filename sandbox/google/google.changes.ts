import { text } from '../form-body';
import type { ChangeSpec } from '../sandbox-provider';
import type { Json } from '../sandbox.types';
import type { GoogleWorld } from './google.world';

export const DEFAULT_EMAIL = 'ada@acme.test';

export function changeEvent(world: GoogleWorld, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_EMAIL);
  const calendar = world.calendar(account, text(change['calendar']) ?? 'primary');
  if (change.id && change.delete) {
    world.deleteEvent(account, calendar, change.id);
    return { id: change.id, status: 'cancelled' };
  }
  if (change.id && calendar.events.has(change.id)) return world.updateEvent(account, calendar, change.id, change).data;
  const at = (hours: number): Json => ({ dateTime: new Date(world.context.now() + hours * 3_600_000).toISOString() });
  return world.insertEvent(account, calendar, { summary: 'New event', start: at(1), end: at(2), ...change }).data;
}

/** A calendar is added to the person's list, changed there (`hidden`), or with `id` and `delete` taken off. */
export function changeCalendar(world: GoogleWorld, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_EMAIL);
  const id = change.id ?? `made_${account.seq}@group.calendar.google.com`;
  const [summary, accessRole] = [text(change['summary']), text(change['accessRole'])];
  const calendar = world.changeCalendar(account, {
    id,
    ...(summary !== undefined && { summary }),
    ...(accessRole !== undefined && { accessRole }),
    ...(typeof change['hidden'] === 'boolean' && { hidden: change['hidden'] }),
    deleted: change.delete === true,
  });
  return { id, summary: calendar.summary };
}

/** A mail comes in, or with `id`: goes (`delete`), or gets and loses labels (`addLabels`, `removeLabels`). */
export function changeMail(world: GoogleWorld, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_EMAIL);
  if (change.id && change.delete) {
    world.deleteMail(account, change.id);
    return { id: change.id };
  }
  const labels = (name: string): string[] => (Array.isArray(change[name]) ? (change[name] as unknown[]).map(String) : []);
  const mail = change.id === undefined ? undefined : account.mail.get(change.id);
  if (mail) {
    world.changeLabels(account, mail, labels('addLabels'), labels('removeLabels'));
    return { id: mail.id, labelIds: mail.labelIds };
  }
  const raw = [
    `From: ${text(change['from']) ?? 'Grace <grace@acme.test>'}`,
    `To: ${account.email}`,
    `Subject: ${text(change['subject']) ?? 'News'}`,
    `Message-ID: <in-${account.historyId}@acme.test>`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text(change['text']) ?? 'Hello',
  ].join('\r\n');
  const { id, threadId } = world.addMail(account, raw, ['INBOX', 'UNREAD']);
  return { id, threadId };
}
