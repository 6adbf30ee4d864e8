import type { SqlRunner } from '../../../database';
import type { ClaimedEvent } from './claimed-event';

/**
 * What was last applied to an object. It keeps the object's events from going backwards. Versions may be coarse (a second): which of two events
 * with the same one is the later cannot be told. Where the event's handlers ask the provider how the object is now, the one that comes later
 * counts, and asks; otherwise the one with the greater id, arbitrary, but the same for everybody, so that any order of delivery ends in the
 * same state.
 */
export interface ObjectMark {
  readonly version: number;
  readonly eventId: string;
}

/** Below every version that a provider gives. */
export const NOTHING_YET = -1;

export type GuardedEvent = ClaimedEvent & Required<Pick<ClaimedEvent, 'connection' | 'objectKey' | 'objectVersion'>>;

export function isGuarded(event: ClaimedEvent): event is GuardedEvent {
  return event.connection !== undefined && event.objectKey !== undefined && event.objectVersion !== undefined;
}

/** The mark of the event's object; undefined where the event is not guarded. Without a lock. */
export async function readMark(runner: SqlRunner, event: ClaimedEvent): Promise<ObjectMark | undefined> {
  if (!isGuarded(event)) return undefined;
  const sql = 'SELECT version, event_id FROM object_marks WHERE connection_id = $1 AND object_key = $2';
  const [row] = await runner.query<{ version: string; event_id: string }>(sql, [event.connection.id, event.objectKey]);
  return row ? { version: Number(row.version), eventId: row.event_id } : { version: NOTHING_YET, eventId: '' };
}

/** Whether something newer than the event was applied to its object. @param asks whether it asks how the object is now */
export function isStale(event: ClaimedEvent, mark: ObjectMark | undefined, asks: boolean): boolean {
  if (!mark || !isGuarded(event)) return false;
  return mark.version !== event.objectVersion ? mark.version > event.objectVersion : !asks && compareBytes(mark.eventId, event.eventId) > 0;
}

/** Whether another event of the same version was applied to its object: neither is known to be the later one. */
export function isTied(event: ClaimedEvent, mark: ObjectMark | undefined): boolean {
  return mark !== undefined && isGuarded(event) && mark.version === event.objectVersion && mark.eventId !== event.eventId;
}

export function isSameMark(a: ObjectMark | undefined, b: ObjectMark | undefined): boolean {
  return a?.version === b?.version && a?.eventId === b?.eventId;
}

/** An order in which no object goes backwards: by connection, then by version. */
export function inSafeOrder(events: readonly ClaimedEvent[]): ClaimedEvent[] {
  return [...events].sort(
    (a, b) =>
      compare(a.connection?.id ?? '', b.connection?.id ?? '') ||
      (a.objectVersion ?? 0) - (b.objectVersion ?? 0) ||
      (a.objectVersion === undefined ? a.receivedAt.getTime() - b.receivedAt.getTime() : 0) ||
      compareBytes(a.eventId, b.eventId),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As Postgres compares under the collation "C". */
function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
