import { COMMIT_WITHOUT_WAITING } from '../../../database';
import { CONNECTIONS } from '../../connections';
import { OF_ENDED_PROCESS } from '../../jobs';
import { TENANT_OF_EVENT as TENANT } from '../tenant-of-event';
import { NOTHING_YET } from './object-mark';
import { PENDING } from './waiting.queries';

/** Of an event `c` and its connection `k`. */
export const CLAIMED_COLUMNS = `c.id, c.provider, c.event_id, c.type, c.tenant, c.connection_id, c.object_key, c.object_version, c.payload_id, c.received_at, c.attempts,
  c.lease_owner, k.user_id, k.account_id, k.auth_type, k.metadata, k.sealed, k.seal`;

/** With the first event of each delivery only: a body of a thousand events is read once. */
const PAYLOAD = `CASE WHEN row_number() OVER (PARTITION BY c.payload_id) = 1 THEN p.headers END AS headers,
  CASE WHEN row_number() OVER (PARTITION BY c.payload_id) = 1 THEN p.body END AS body`;

/**
 * Claims what is due, the same share for each tenant: one that sends ten thousand events gets no more of a batch than the others
 * need. The tenants are found one after another in the index, from $2 on, so that a claim costs what it takes and not what there is:
 * 200 of 200,000 due events of one tenant in 48 ms, of 150 tenants in 85 ms (of 2,000 events in 60 and 37 ms); to rank all that is due
 * by tenant took 2.9 s and 3.5 s (server, busy shared machine, medians of 9).
 * $1 most events, $2 last tenant of the claim before ($3 whether there was one), $4 tenants to leave out, $5 owner, $6 lease in
 * seconds, $7 kinds of events (`provider/type`) to leave out.
 * A claim does not wait for the disk: where the server loses it in a crash, the event is due again, and nothing was done for it,
 * as an effect is committed after its claim and waits for both (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export const CLAIM_DUE = `
  WITH RECURSIVE pending (tenant, next_attempt_at) AS (
    (SELECT ${TENANT}, e.next_attempt_at FROM webhook_events e WHERE ${PENDING} AND ${TENANT} >= $2::text AND (NOT $3::boolean OR ${TENANT} <> $2::text)
     ORDER BY ${TENANT}, e.next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.tenant, n.next_attempt_at FROM pending p CROSS JOIN LATERAL (
      SELECT ${TENANT} AS tenant, e.next_attempt_at FROM webhook_events e WHERE ${PENDING} AND ${TENANT} > p.tenant
      ORDER BY ${TENANT}, e.next_attempt_at LIMIT 1) n
  ),
  seen AS MATERIALIZED (SELECT * FROM pending LIMIT $1::int),
  ready AS MATERIALIZED (SELECT tenant FROM seen WHERE next_attempt_at <= now() AND tenant <> ALL ($4::text[])),
  picked AS MATERIALIZED (
    SELECT d.id FROM ready r CROSS JOIN LATERAL (
      SELECT e.id FROM webhook_events e
      WHERE ${PENDING} AND ${TENANT} = r.tenant AND e.next_attempt_at <= now() AND (e.provider || '/' || e.type) <> ALL ($7::text[])
      ORDER BY e.next_attempt_at, e.id LIMIT greatest(1, $1::int / (SELECT count(*)::int FROM ready)) FOR UPDATE OF e SKIP LOCKED) d
  ),
  claimed AS (
    UPDATE webhook_events e SET status = 'processing', attempts = e.attempts + 1, lease_owner = $5::uuid, lease_until = now() + make_interval(secs => $6::int)
    WHERE e.id = ANY (ARRAY(SELECT id FROM picked)) RETURNING e.*)
  SELECT s.last_tenant, s.seen, ${CLAIMED_COLUMNS}, ${PAYLOAD}
  FROM (SELECT max(tenant) AS last_tenant, count(*)::int AS seen, ${COMMIT_WITHOUT_WAITING} FROM seen) s
  LEFT JOIN claimed c ON true
  LEFT JOIN ${CONNECTIONS} k ON k.id = c.connection_id
  LEFT JOIN webhook_payloads p ON p.id = c.payload_id`;

/** $1 the signs of the processes that live. */
export const END_LEASES = `UPDATE webhook_events SET lease_until = now() WHERE status = 'processing' AND lease_until > now() AND ${OF_ENDED_PROCESS}`;

export const ANY_EXPIRED = `SELECT EXISTS (SELECT 1 FROM webhook_events WHERE status = 'processing' AND lease_until <= now()) AS found`;

/** Of an event no more are kept. */
const MOST_FAILURES = 20;
const withFailure = (failure: string) =>
  `CASE WHEN jsonb_array_length(coalesce(e.failures, '[]')) >= ${MOST_FAILURES} THEN e.failures - 0 ELSE coalesce(e.failures, '[]') END || ${failure}`;
const STOPPED = `jsonb_build_object('at', now(), 'attempt', e.attempts, 'durationMs', NULL, 'worker', NULL,
  'code', 'webhook_handler_failed', 'error', 'The process that worked on it stopped.')`;

/**
 * Takes over one event whose worker died. One at a time: if it was this event that killed the worker, it kills nobody beside it.
 * The attempt that died counts; when it was the last one the event is dead. $1 owner, $2 lease in seconds, $3 most attempts, $4 reason.
 */
export const CLAIM_EXPIRED = `
  WITH picked AS MATERIALIZED (
    SELECT id FROM webhook_events WHERE status = 'processing' AND lease_until <= now() ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE webhook_events e SET
      status = CASE WHEN e.attempts >= $3::int THEN 'dead' ELSE 'processing' END,
      attempts = CASE WHEN e.attempts >= $3::int THEN e.attempts ELSE e.attempts + 1 END,
      last_error = CASE WHEN e.attempts >= $3::int THEN $4::text ELSE e.last_error END,
      error_code = CASE WHEN e.attempts >= $3::int THEN 'webhook_handler_failed' ELSE e.error_code END,
      failures = ${withFailure(STOPPED)},
      processed_at = CASE WHEN e.attempts >= $3::int THEN now() END,
      lease_owner = CASE WHEN e.attempts >= $3::int THEN NULL ELSE $1::uuid END,
      lease_until = CASE WHEN e.attempts >= $3::int THEN NULL ELSE now() + make_interval(secs => $2::int) END
    WHERE e.id = ANY (ARRAY(SELECT id FROM picked)) RETURNING e.*)
  SELECT c.status, ${CLAIMED_COLUMNS}, ${PAYLOAD} FROM claimed c
  LEFT JOIN ${CONNECTIONS} k ON k.id = c.connection_id LEFT JOIN webhook_payloads p ON p.id = c.payload_id`;

/** What a new mark says of the one before, where its event asks how the object is now; a row that is made at once has none before. */
const ASKS = 'asks';
/** Of versions that are the same the one with the greater id is the later one, byte by byte; or the one that comes now, where it asks. */
const IS_LATER = `(excluded.version > g.version OR (excluded.version = g.version
  AND (excluded.before_event_id = '${ASKS}' OR excluded.event_id COLLATE "C" > g.event_id COLLATE "C")))`;

/**
 * Comes first in the transaction: it makes sure that the events are ours, and keeps them and their objects so until the commit.
 * What belongs to a connection that was disconnected meanwhile, or that nobody handles, moves no mark. Tells where each object's
 * mark stood before; it is locked in one order for everybody. $1 owner, $2 kinds (`provider/type`) that nobody handles, $3 ids, $4 kinds whose
 * handlers ask how the object is now.
 */
export const MARK_COMPLETED = `
  WITH marked AS (
    UPDATE webhook_events e SET status = 'completed', processed_at = now(), lease_owner = NULL, lease_until = NULL, last_error = NULL, error_code = NULL
    WHERE e.id = ANY ($3::uuid[]) AND e.lease_owner = $1::uuid AND e.status = 'processing' RETURNING e.*),
  ours AS (
    SELECT m.id, m.event_id, m.connection_id, m.object_key, m.object_version, k.status AS connection_status,
      (m.provider || '/' || m.type) = ANY ($4::text[]) AS asks,
      k.status <> 'disconnected' AND m.object_key IS NOT NULL AND m.object_version IS NOT NULL AND (m.provider || '/' || m.type) <> ALL ($2::text[]) AS guarded
    FROM marked m LEFT JOIN ${CONNECTIONS} k ON k.id = m.connection_id),
  moved AS (
    INSERT INTO object_marks AS g (connection_id, object_key, version, event_id, before_version, before_event_id)
    SELECT DISTINCT ON (o.connection_id, o.object_key) o.connection_id, o.object_key, o.object_version, o.event_id, ${NOTHING_YET}, CASE WHEN o.asks THEN '${ASKS}' ELSE '' END
    FROM ours o WHERE o.guarded ORDER BY o.connection_id, o.object_key, o.object_version DESC, o.event_id COLLATE "C" DESC
    ON CONFLICT (connection_id, object_key) DO UPDATE SET updated_at = now(), before_version = g.version, before_event_id = g.event_id,
      version = CASE WHEN ${IS_LATER} THEN excluded.version ELSE g.version END,
      event_id = CASE WHEN ${IS_LATER} THEN excluded.event_id ELSE g.event_id END
    RETURNING g.connection_id, g.object_key, g.before_version, CASE WHEN g.before_version = ${NOTHING_YET} THEN '' ELSE g.before_event_id END AS before_event_id)
  SELECT o.id, o.connection_status, moved.before_version, moved.before_event_id FROM ours o
  LEFT JOIN moved ON o.guarded AND moved.connection_id = o.connection_id AND moved.object_key = o.object_key`;

/** $1 id, $2 owner, $3 whether it is dead, $4 milliseconds to wait, $5 reason, $6 code, $7 the attempt (`FailedAttempt`). */
export const MARK_FAILED = `
  WITH marked AS (
    UPDATE webhook_events e SET
      status = CASE WHEN $3::boolean THEN 'dead' ELSE 'failed' END,
      next_attempt_at = now() + make_interval(secs => $4::float8 / 1000),
      processed_at = CASE WHEN $3::boolean THEN now() END,
      lease_owner = NULL, lease_until = NULL, last_error = $5::text, error_code = $6::text, failures = ${withFailure('$7::jsonb')}
    WHERE e.id = $1::uuid AND e.lease_owner = $2::uuid AND e.status = 'processing' RETURNING e.status)
  SELECT status FROM marked`;

/** Gives events back as if they had not been claimed. $1 ids, $2 owner, $3 milliseconds to wait. */
export const RELEASE = `
  UPDATE webhook_events SET status = CASE WHEN attempts > 1 THEN 'failed' ELSE 'received' END, attempts = attempts - 1, lease_owner = NULL, lease_until = NULL,
    next_attempt_at = CASE WHEN $3::float8 > 0 THEN now() + make_interval(secs => $3::float8 / 1000) ELSE next_attempt_at END
  WHERE id = ANY ($1::uuid[]) AND lease_owner = $2::uuid AND status = 'processing'`;

/** Tells which owners still have something. $1 owners, $2 lease in seconds. */
export const EXTEND = `
  WITH kept AS (
    UPDATE webhook_events SET lease_until = now() + make_interval(secs => $2::int) WHERE lease_owner = ANY ($1::uuid[]) AND status = 'processing'
    RETURNING lease_owner)
  SELECT DISTINCT lease_owner FROM kept`;
