import { OF_ENDED_PROCESS } from '../../jobs';
import { ANEW, REPLAYABLE_AND_HELD } from './replayable';

/** Events of one batch: what of a run is in the queue at a time. */
export const BATCH = 200;
/** Where so many events that are no run's are due, the next batch waits: what comes in now goes first. */
export const LIVE_AT_MOST = 100;

export const OPEN = `state IN ('queued', 'running', 'cancelling')`;
const OURS = `id = $1::uuid AND lease_owner = $2::uuid AND ${OPEN}`;

/** $1 runs at most, $2 lease, $3 its seconds. Few are open at a time, and found by their own index; of an organization one is in work. */
export const CLAIM_RUNS = `
  WITH picked AS MATERIALIZED (
    SELECT r.id FROM webhook_replays r WHERE ${OPEN} AND r.next_attempt_at <= now() AND (r.lease_until IS NULL OR r.lease_until <= now())
      AND NOT EXISTS (SELECT 1 FROM webhook_replays WHERE ${OPEN} AND lease_until > now() AND tenant IS NOT DISTINCT FROM r.tenant)
    ORDER BY r.next_attempt_at, r.id LIMIT $1::int FOR UPDATE OF r SKIP LOCKED),
  claimed AS (
    UPDATE webhook_replays r SET state = CASE WHEN r.state = 'queued' THEN 'running' ELSE r.state END, started_at = coalesce(r.started_at, now()),
      attempts = r.attempts + 1, lease_owner = $2::uuid, lease_until = now() + make_interval(secs => $3::int)
    WHERE r.id = ANY (ARRAY(SELECT id FROM picked)) RETURNING r.id, r.lease_owner, r.attempts, r.filter, r.last_id)
  SELECT id, lease_owner, attempts, filter, last_id FROM claimed`;

export const RUNS_WAITING = `
  SELECT count(*)::int AS count, extract(epoch FROM now() - min(next_attempt_at))::float8 AS oldest FROM webhook_replays WHERE ${OPEN} AND lease_owner IS NULL`;

/** $1 the signs of the processes that live. */
export const END_RUN_LEASES = `UPDATE webhook_replays SET lease_until = now() WHERE ${OPEN} AND lease_until > now() AND ${OF_ENDED_PROCESS}`;

/** $1 leases, $2 seconds. */
export const EXTEND_RUNS = `
  WITH kept AS (
    UPDATE webhook_replays SET lease_until = now() + make_interval(secs => $2::int) WHERE lease_owner = ANY ($1::uuid[]) AND ${OPEN} RETURNING lease_owner)
  SELECT lease_owner FROM kept`;

/** $1 id, $2 lease. Until the end of the transaction nobody else goes on with it, and nobody cancels it. */
export const HOLD_RUN = `SELECT state, after_id FROM webhook_replays WHERE ${OURS} FOR UPDATE`;

/** What of the batch has its outcome is counted, once: the mark goes in the same transaction. What failed is tried again by itself, as ever. $1 id. */
export const TAKE_OUTCOMES = `
  WITH settled AS (
    UPDATE webhook_events SET replay_id = NULL WHERE replay_id = $1::uuid AND status IN ('completed', 'failed', 'dead') RETURNING status)
  SELECT count(*) FILTER (WHERE status = 'completed')::int AS done, count(*) FILTER (WHERE status <> 'completed')::int AS failed,
    EXISTS (SELECT 1 FROM webhook_events WHERE replay_id = $1::uuid AND status NOT IN ('completed', 'failed', 'dead')) AS "inWork"
  FROM settled`;

/** Counted no further than it matters. */
export const LIVE_WAITING = `
  SELECT count(*)::int AS count FROM (
    SELECT 1 FROM webhook_events WHERE status IN ('received', 'failed') AND next_attempt_at <= now() AND replay_id IS NULL LIMIT ${LIVE_AT_MOST}) w`;

/** The next batch goes back into the inbox, in the order in which it came. @param where the filter, with its parameters from $1 on @param from the first parameter after them: the run, the event after which it goes on, the last one that was counted */
export const putBack = (where: string, from: number) => `
  WITH picked AS MATERIALIZED (
    SELECT id FROM webhook_events WHERE ${where} AND replay_id IS NULL AND ${REPLAYABLE_AND_HELD} AND id > $${from + 1}::uuid AND id <= $${from + 2}::uuid
    ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
  anew AS (UPDATE webhook_events SET ${ANEW}, replay_id = $${from}::uuid WHERE id = ANY (ARRAY(SELECT id FROM picked)) RETURNING id)
  SELECT count(*)::int AS count, max(id::text) AS last FROM anew`;

/** $1 id, $2 lease, $3 done, $4 failed, $5 after which event it goes on. */
export const NOTE_STEP = `
  UPDATE webhook_replays SET done = done + $3::int, failed = failed + $4::int, after_id = $5::uuid, attempts = 1 WHERE ${OURS}`;

/** What was counted at the start and is none of the two was passed over: it had no payload any more, or was in work. $1 id, $2 lease. */
export const END_RUN = `
  UPDATE webhook_replays SET state = CASE WHEN state = 'cancelling' THEN 'cancelled' ELSE 'completed' END, ended_at = now(), lease_owner = NULL, lease_until = NULL,
    skipped = CASE WHEN state = 'cancelling' THEN 0 ELSE greatest(0, matched - done - failed) END
  WHERE ${OURS}`;

/** $1 id, $2 lease, $3 milliseconds to wait. */
export const RUN_FAILED = `
  UPDATE webhook_replays SET lease_owner = NULL, lease_until = NULL, next_attempt_at = now() + make_interval(secs => $3::float8 / 1000) WHERE ${OURS}`;

/** Behind those that wait. $1 id, $2 lease. */
export const YIELD_RUN = `UPDATE webhook_replays SET lease_owner = NULL, lease_until = NULL, next_attempt_at = now() WHERE ${OURS}`;

/** $1 id, $2 lease. */
export const RELEASE_RUN = `UPDATE webhook_replays SET lease_owner = NULL, lease_until = NULL, attempts = greatest(0, attempts - 1) WHERE ${OURS}`;
