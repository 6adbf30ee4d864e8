import type { SqlRunner } from '../connections';
import type { ClaimedEvent } from './claimed-event';

interface Mark {
  readonly version: number;
  readonly eventId: string;
}

/** Below every version that a provider gives. */
const NOTHING_YET = -1;

/**
 * Keeps the events of one object from going backwards. Reading the marks locks them, in one order for everybody, so that nobody
 * else applies an event of the same object before this transaction ends.
 * Of two events with the same version the one with the greater id is the later one: arbitrary, but the same for everybody, so that
 * any order of delivery ends in the same state.
 */
export class ObjectGuard {
  private readonly moved = new Map<string, { connectionId: string; objectKey: string; mark: Mark }>();

  private constructor(private readonly marks: Map<string, Mark>) {}

  static async lock(runner: SqlRunner, events: readonly ClaimedEvent[]): Promise<ObjectGuard> {
    const objects = new Map(events.filter(isGuarded).map((event) => [keyOf(event), event]));
    if (objects.size === 0) return new ObjectGuard(new Map());
    const rows = await runner.query<{ connection_id: string; object_key: string; version: string; event_id: string }>(
      `INSERT INTO object_guards AS g (connection_id, object_key, version, event_id)
       SELECT o.connection_id, o.object_key, ${NOTHING_YET}, '' FROM unnest($1::uuid[], $2::text[]) AS o (connection_id, object_key) ORDER BY 1, 2
       ON CONFLICT (connection_id, object_key) DO UPDATE SET updated_at = now()
       RETURNING g.connection_id, g.object_key, g.version, g.event_id`,
      [[...objects.values()].map(({ connection }) => connection.id), [...objects.values()].map(({ objectKey }) => objectKey)],
    );
    return new ObjectGuard(
      new Map(rows.map((row) => [`${row.connection_id} ${row.object_key}`, { version: Number(row.version), eventId: row.event_id }])),
    );
  }

  /** What was last applied to the event's object, as a text to compare; undefined where the event is not guarded. Without a lock. */
  static async markOf(runner: SqlRunner, event: ClaimedEvent): Promise<string | undefined> {
    if (!isGuarded(event)) return undefined;
    const sql = 'SELECT version, event_id FROM object_guards WHERE connection_id = $1 AND object_key = $2';
    const [row] = await runner.query<{ version: string; event_id: string }>(sql, [event.connection.id, event.objectKey]);
    return markText(row && { version: Number(row.version), eventId: row.event_id });
  }

  /** Whether something was applied to the event's object since `mark` was read. */
  hasMoved(event: ClaimedEvent, mark: string | undefined): boolean {
    return isGuarded(event) && markText(this.marks.get(keyOf(event))) !== mark;
  }

  /** Whether something newer was applied to the event's object. */
  isStale(event: ClaimedEvent): boolean {
    const mark = isGuarded(event) ? this.marks.get(keyOf(event)) : undefined;
    return mark !== undefined && isGuarded(event) && isLater(mark, { version: event.objectVersion, eventId: event.eventId });
  }

  applied(event: ClaimedEvent): void {
    if (!isGuarded(event)) return;
    const mark = { version: event.objectVersion, eventId: event.eventId };
    this.marks.set(keyOf(event), mark);
    this.moved.set(keyOf(event), { connectionId: event.connection.id, objectKey: event.objectKey, mark });
  }

  async store(runner: SqlRunner): Promise<void> {
    if (this.moved.size === 0) return;
    const moved = [...this.moved.values()];
    await runner.query(
      `UPDATE object_guards g SET version = o.version, event_id = o.event_id, updated_at = now()
       FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::text[]) AS o (connection_id, object_key, version, event_id)
       WHERE g.connection_id = o.connection_id AND g.object_key = o.object_key`,
      [
        moved.map(({ connectionId }) => connectionId),
        moved.map(({ objectKey }) => objectKey),
        moved.map(({ mark }) => mark.version),
        moved.map(({ mark }) => mark.eventId),
      ],
    );
  }
}

type GuardedEvent = ClaimedEvent & Required<Pick<ClaimedEvent, 'connection' | 'objectKey' | 'objectVersion'>>;

function isGuarded(event: ClaimedEvent): event is GuardedEvent {
  return event.connection !== undefined && event.objectKey !== undefined && event.objectVersion !== undefined;
}

function keyOf({ connection, objectKey }: GuardedEvent): string {
  return `${connection.id} ${objectKey}`;
}

function markText({ version, eventId }: Mark = { version: NOTHING_YET, eventId: '' }): string {
  return `${version} ${eventId}`;
}

function isLater(a: Mark, b: Mark): boolean {
  return a.version !== b.version ? a.version > b.version : a.eventId > b.eventId;
}

/** An order in which no transaction locks crosswise and no object goes backwards: by connection, then by version. */
export function inSafeOrder(events: readonly ClaimedEvent[]): ClaimedEvent[] {
  return [...events].sort(
    (a, b) =>
      compare(a.connection?.id ?? '', b.connection?.id ?? '') ||
      (a.objectVersion ?? 0) - (b.objectVersion ?? 0) ||
      (a.objectVersion === undefined ? a.receivedAt.getTime() - b.receivedAt.getTime() : 0) ||
      compare(a.eventId, b.eventId),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
