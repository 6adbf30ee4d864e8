import { COMMIT_WITHOUT_WAITING } from '../../database';
import { OF_ENDED_PROCESS } from '../jobs';

/** Objects that are looked at in one claim of an ordered destination, before and after where it begins. */
const MOST_OBJECTS = 1_000;
/** Of a bigint. */
const FIRST_KEY = `'-9223372036854775808'`;
const LAST_KEY = `'9223372036854775807'`;

/**
 * Claims what is due. Destinations with something waiting are found one after another in the index; each gives no more than it has room for,
 * those in doubt (failing or slow) no more than one, and the first of each goes before anybody's second.
 * A claim does not wait for the disk: where the server loses it in a crash, the delivery is due again, and is sent with the same id.
 * $1 at the same time to one destination, $2 most of the good, $3 most of those in doubt, $4 slow ones, $5 destinations in work here, $6 how much of it, $7 lease, $8 seconds of
 * the lease, $9 now, $10 where the walk over objects begins, $11 quick ones, $12 instead of $1 for them: one claim for many, since a claim costs
 * as much as six POSTs (docs/decisions/0022).
 * A destination that is ordered gives the first delivery of each object, one whose answer is awaited stands before the others of its own: objects are
 * walked in the index from a place that is another each time, so that all come in turn where many wait.
 */
export const CLAIM_DELIVERIES = `
  WITH RECURSIVE waiting (id) AS (
    (SELECT destination_id FROM deliveries WHERE status = 'pending' ORDER BY destination_id LIMIT 1)
    UNION ALL
    SELECT n.destination_id FROM waiting w CROSS JOIN LATERAL (
      SELECT destination_id FROM deliveries WHERE status = 'pending' AND destination_id > w.id ORDER BY destination_id LIMIT 1) n
  ),
  ready AS MATERIALIZED (
    SELECT d.id, d.ordered, q.doubtful, (CASE WHEN q.doubtful THEN 1 WHEN d.id = ANY ($11::uuid[]) THEN $12::int ELSE $1::int END) - coalesce(b.busy, 0) AS free
    FROM waiting w JOIN destinations d ON d.id = w.id
    CROSS JOIN LATERAL (SELECT d.failures > 0 OR d.id = ANY ($4::uuid[]) AS doubtful) q
    LEFT JOIN unnest($5::uuid[], $6::int[]) AS b (id, busy) ON b.id = d.id
    WHERE d.status = 'active' AND (d.retry_at IS NULL OR d.retry_at <= now())
  ),
  due (id, doubtful, next_attempt_at, turn) AS (
    SELECT v.id, r.doubtful, v.next_attempt_at, v.turn FROM ready r CROSS JOIN LATERAL (
      SELECT e.id, e.next_attempt_at, row_number() OVER (ORDER BY e.next_attempt_at, e.id) AS turn FROM deliveries e
      WHERE e.destination_id = r.id AND e.status = 'pending' AND e.next_attempt_at <= now()
      ORDER BY e.next_attempt_at, e.id LIMIT greatest(r.free, 0)) v
    WHERE NOT r.ordered
    UNION ALL
    SELECT v.id, r.doubtful, v.next_attempt_at, v.turn FROM ready r CROSS JOIN LATERAL (
      SELECT f.id, f.next_attempt_at, row_number() OVER () AS turn
      FROM (VALUES ($10::bigint, ${LAST_KEY}::bigint), (${FIRST_KEY}::bigint, $10::bigint - 1)) AS span (low, high) CROSS JOIN LATERAL (
        WITH RECURSIVE heads AS (
          (SELECT e.order_key, e.id, e.status, e.next_attempt_at, 1 AS walked FROM deliveries e
           WHERE e.destination_id = r.id AND e.order_key BETWEEN span.low AND span.high AND e.status IN ('pending', 'sending')
           ORDER BY e.order_key, e.order_number LIMIT 1)
          UNION ALL
          SELECT n.order_key, n.id, n.status, n.next_attempt_at, h.walked + 1 FROM heads h CROSS JOIN LATERAL (
            SELECT e.order_key, e.id, e.status, e.next_attempt_at FROM deliveries e
            WHERE e.destination_id = r.id AND e.order_key > h.order_key AND e.order_key <= span.high AND e.status IN ('pending', 'sending')
            ORDER BY e.order_key, e.order_number LIMIT 1) n
          WHERE h.walked < ${MOST_OBJECTS})
        SELECT h.id, h.next_attempt_at FROM heads h WHERE h.status = 'pending' AND h.next_attempt_at <= now()) f
      LIMIT greatest(r.free, 0)) v
    WHERE r.ordered
  ),
  offered AS MATERIALIZED (
    SELECT id, doubtful, row_number() OVER (PARTITION BY doubtful ORDER BY turn, next_attempt_at, id) AS place FROM due
  ),
  picked AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE id = ANY (ARRAY(SELECT id FROM offered WHERE place <= CASE WHEN doubtful THEN $3::int ELSE $2::int END)) AND status = 'pending'
    FOR UPDATE SKIP LOCKED
  ),
  claimed AS (
    UPDATE deliveries e SET status = 'sending', attempts = e.attempts + 1, lease_owner = $7::uuid, lease_until = now() + make_interval(secs => $8::int)
    WHERE e.id = ANY (ARRAY(SELECT id FROM picked)) RETURNING e.*
  )
  SELECT c.id, c.message_id, c.destination_id, c.tenant, c.type, c.attempts, c.once, $7::uuid AS lease_owner, m.body, m.traceparent, p.body AS payload, d.url, (d.failures > 0) AS failing,
    (SELECT json_agg(json_build_object('id', s.id, 'secret', s.secret) ORDER BY s.created_at DESC, s.id DESC) FROM destination_secrets s
     WHERE s.destination_id = d.id AND (s.expires_at IS NULL OR s.expires_at > $9::timestamptz)) AS secrets
  FROM (SELECT ${COMMIT_WITHOUT_WAITING}) w
  CROSS JOIN claimed c JOIN outbox m ON m.id = c.message_id LEFT JOIN outbox_payloads p ON p.id = m.payload_id
  JOIN destinations d ON d.id = c.destination_id`;

/** For the metrics: what waits, and for how long; what is urgent is due since yesterday. $1 counted at most. */
export const DELIVERIES_WAITING = `
  SELECT (SELECT count(*)::int FROM (SELECT 1 FROM deliveries WHERE status = 'pending' LIMIT $1) w) AS count,
    (SELECT extract(epoch FROM now() - min(greatest(next_attempt_at, created_at)))::float8 FROM deliveries
     WHERE status = 'pending' AND next_attempt_at <= now()) AS oldest`;

/** Deliveries of processes that died wait again; the try counts. $1 the signs of the processes that live. */
export const END_LEASES = `UPDATE deliveries SET lease_until = now() WHERE status = 'sending' AND lease_until > now() AND ${OF_ENDED_PROCESS}`;

export const TAKE_BACK = `UPDATE deliveries SET status = 'pending', lease_owner = NULL, lease_until = NULL WHERE status = 'sending' AND lease_until <= now()`;

/** Whether a lease has ended, and whether changes of records have been gathered long enough: asked at every wake-up, in one journey. */
export const ANY_TO_PREPARE = `
  SELECT EXISTS (SELECT 1 FROM deliveries WHERE status = 'sending' AND lease_until <= now()) AS expired,
    EXISTS (SELECT 1 FROM record_change_batches WHERE flush_at <= now()) AS gathered`;

/** The last tries are kept. */
const LOGGED = (entry: string) => `(CASE WHEN jsonb_array_length(log) >= 50 THEN log - 0 ELSE log END) || ${entry}::jsonb`;
const OURS = `id = $1::uuid AND lease_owner = $2::uuid AND status = 'sending'`;

/**
 * Outcomes of one commit. $1 deliveries, $2 their leases, $3 HTTP statuses, $4 log entries, $5 times. Gives those that were still ours.
 * Where a destination is back after $6 failures in a row, what failed with it need not wait any longer, unless it has failed more than
 * $7 times: such a one may be the reason.
 * 4.2 times as many deliveries a second as one outcome a commit (3038 and 718 to one destination, `npm run bench -- B12`).
 */
export const MARK_DELIVERED = `
  WITH mine AS (
    UPDATE deliveries e SET status = 'delivered', delivered_at = t.at, lease_owner = NULL, lease_until = NULL, response_status = t.status,
      error_code = NULL, log = ${LOGGED('t.entry')}
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[]) AS t (id, lease, status, entry, at)
    WHERE e.id = t.id AND e.lease_owner = t.lease AND e.status = 'sending' RETURNING e.id, e.destination_id),
  well AS (
    UPDATE destinations d SET failures = 0, failing_since = NULL, retry_at = NULL, last_error = NULL
    WHERE d.id IN (SELECT destination_id FROM mine) AND d.failures > 0),
  returned AS (
    UPDATE deliveries e SET next_attempt_at = now()
    FROM destinations d WHERE d.id = e.destination_id AND d.id IN (SELECT destination_id FROM mine) AND d.failures >= $6::int
      AND e.status = 'pending' AND e.next_attempt_at > now() AND e.attempts BETWEEN 1 AND $7::int)
  SELECT id FROM mine`;

/**
 * What came too late to be tried again is dead; with a resumed destination its day begins anew.
 * $1 delivery, $2 lease, $3 HTTP status, $4 log entry, $5 now, $6 error, $7 ms to wait, $8 ms until given up.
 */
export const MARK_FAILED = `
  WITH mine AS (
    UPDATE deliveries e SET
      status = CASE WHEN e.once OR $5::timestamptz + $7::float8 * interval '1 millisecond' > greatest(e.give_up_at, (
        SELECT d.resumed_at FROM destinations d WHERE d.id = e.destination_id) + $8::float8 * interval '1 millisecond') THEN 'dead' ELSE 'pending' END,
      next_attempt_at = now() + $7::float8 * interval '1 millisecond',
      lease_owner = NULL, lease_until = NULL, response_status = $3, error_code = $6, log = ${LOGGED('$4')} WHERE ${OURS} RETURNING e.status)
  SELECT status FROM mine`;

/** $1 destination, $2 now, $3 error; gives how it stands. */
export const COUNT_FAILURE = `
  WITH counted AS (
    UPDATE destinations SET failures = failures + 1, failing_since = coalesce(failing_since, $2), last_error = $3 WHERE id = $1
    RETURNING failures, failing_since, status)
  SELECT * FROM counted`;

/** $1 destination, $2 ms. */
export const REST = `
  UPDATE destinations SET retry_at = greatest(retry_at, now() + $2::float8 * interval '1 millisecond') WHERE id = $1 AND failures > 0`;

/** $1 destination, $2 reason, $3 now. */
export const PAUSE_DEAD = `
  WITH paused AS (
    UPDATE destinations SET status = 'paused', paused_reason = $2, paused_at = $3, updated_at = $3
    WHERE id = $1 AND status = 'active' AND failures > 0 RETURNING tenant)
  SELECT tenant FROM paused`;

/** As if it had not been claimed. $1 delivery, $2 lease. */
export const RELEASE_DELIVERY = `
  UPDATE deliveries SET status = 'pending', attempts = greatest(attempts - 1, 0), next_attempt_at = now(), lease_owner = NULL, lease_until = NULL WHERE ${OURS}`;
