import type { SqlRunner } from '../../../database';
import { conditionsOf, type EventFilter } from './webhook-event.list';

/** What is settled can be run again; what waits or runs does so anyway. Without its payload an event says nothing any more. */
export const replayable = (lock = '') =>
  `status IN ('completed', 'failed', 'dead') AND EXISTS (SELECT 1 FROM webhook_payloads p WHERE p.id = payload_id ${lock})`;

/** Until the replay is committed nobody ends the payload. */
export const REPLAYABLE_AND_HELD = replayable('FOR KEY SHARE SKIP LOCKED');

/** As when it came first. */
export const ANEW = `status = 'received', attempts = 0, next_attempt_at = now(), processed_at = NULL, lease_owner = NULL, lease_until = NULL, last_error = NULL, error_code = NULL`;

/** Which events a filter means, with parameters from $1 on: what failed or was given up, unless it names another status. */
export function askedFor(filter: EventFilter): { sql: string; params: unknown[] } {
  const { sql, params } = conditionsOf(filter);
  return { sql: filter.status === undefined ? `${sql} AND status IN ('failed', 'dead')` : sql, params };
}

export interface Replayable {
  readonly matched: number;
  /** The last event of them; undefined where there is none. What comes after it, or fails again meanwhile, is not replayed for ever. */
  readonly last: string | undefined;
  /** By organization; null where an event is nobody's. */
  readonly counted: readonly { readonly tenant: string | null; readonly matched: number }[];
}

/** What could be run again now. */
export async function replayableOf(db: SqlRunner, filter: EventFilter): Promise<Replayable> {
  const { sql, params } = askedFor(filter);
  const counted = await db.query<{ tenant: string | null; matched: number; last: string }>(
    `SELECT tenant, count(*)::int AS matched, max(id::text) AS last FROM webhook_events WHERE ${sql} AND ${replayable()} GROUP BY tenant`,
    params,
  );
  const ids = counted.map(({ last }) => last).sort();
  return { counted, matched: counted.reduce((sum, each) => sum + each.matched, 0), last: ids.at(-1) };
}
