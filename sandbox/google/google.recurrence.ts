import { record } from '../form-body';
import type { Json } from '../sandbox.types';
import { instanceId } from './google.seed';
import type { Calendar, StoredEvent } from './google.state';

const DAY_MS = 86_400_000;
/** A series without an end is shown for a year. */
const HORIZON_MS = 365 * DAY_MS;

/** The instances of a series (daily or weekly, COUNT, UNTIL, INTERVAL), without those that have an exception of their own. */
export function expandSeries(calendar: Calendar, master: StoredEvent): StoredEvent[] {
  const rule = ruleOf(master.data);
  const start = timeOf(master.data['start']);
  const end = timeOf(master.data['end']);
  if (!rule || start === null || end === null) return [];
  const step = (rule['FREQ'] === 'DAILY' ? DAY_MS : 7 * DAY_MS) * Number(rule['INTERVAL'] ?? 1);
  const until = rule['UNTIL']
    ? Date.parse(
        rule['UNTIL'].replace(/^(\d{4})(\d\d)(\d\d)(T(\d\d)(\d\d)(\d\d)Z)?$/, (_, y: string, m: string, d: string) => `${y}-${m}-${d}`),
      ) + DAY_MS
    : start + HORIZON_MS;
  const count = rule['COUNT'] ? Number(rule['COUNT']) : Infinity;
  const instances: StoredEvent[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * step;
    if (at > until || (count !== Infinity && index >= 1000)) break;
    const id = instanceId(master.id, at);
    if (calendar.events.has(id)) continue;
    const shared: Json = { ...master.data };
    delete shared['recurrence'];
    instances.push({
      id,
      seq: master.seq,
      ordinal: master.ordinal,
      data: {
        ...shared,
        id,
        start: moved(master.data['start'], at),
        end: moved(master.data['end'], at + end - start),
        recurringEventId: master.id,
        originalStartTime: moved(master.data['start'], at),
      },
    });
  }
  return instances;
}

export function isSeries(event: StoredEvent): boolean {
  return Array.isArray(event.data['recurrence']) && event.data['status'] !== 'cancelled';
}

export function timeOf(edge: unknown): number | null {
  const { dateTime, date } = record(edge);
  const ms = Date.parse(String(dateTime ?? date ?? ''));
  return Number.isNaN(ms) ? null : ms;
}

function ruleOf(data: Json): Record<string, string> | null {
  const line = (data['recurrence'] as unknown[] | undefined)?.map(String).find((text) => text.startsWith('RRULE:'));
  return line
    ? Object.fromEntries(
        line
          .slice(6)
          .split(';')
          .map((part) => part.split('=') as [string, string]),
      )
    : null;
}

function moved(edge: unknown, ms: number): Json {
  const source = record(edge);
  const iso = new Date(ms).toISOString();
  return source['date'] ? { date: iso.slice(0, 10) } : { ...source, dateTime: iso };
}
