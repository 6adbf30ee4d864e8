import { COMMIT_WITHOUT_WAITING } from '../../database';
import { HASH_BYTES } from './canonical-json';

/** Takes the connection's turn to write: whoever holds it draws the next change numbers. Params: connection. */
export const LOCK_SEQUENCE = `SELECT 1 FROM record_sequences WHERE connection_id = $1 FOR UPDATE`;

export const CREATE_SEQUENCE = `INSERT INTO record_sequences (connection_id) SELECT id FROM connections WHERE id = $1 ON CONFLICT DO NOTHING`;

export const KNOW_PARTITION = `INSERT INTO sync_cursors (connection_id, resource, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;

/**
 * Between the texts of a batch, which go as one: an array parameter would need every quote escaped here and unescaped there. JSON writes
 * it escaped, so no text holds it.
 */
export const SEPARATOR = '\x1e';

const COLUMNS = 'connection_id, resource, partition, external_id, data, hash, version, deleted, change_no, changed_at';

const hashOf = (hashes: string, n: string) => `substring(${hashes}::bytea FROM (${n}::int - 1) * ${HASH_BYTES} + 1 FOR ${HASH_BYTES})`;

const placed = (gate: string, { now, checkpoint, cursor }: Record<'now' | 'checkpoint' | 'cursor', string>) =>
  `UPDATE sync_cursors SET checkpoint = coalesce(${checkpoint}::jsonb, checkpoint), pending_cursor = coalesce(${cursor}::jsonb, pending_cursor),
   updated_at = ${now} FROM ${gate} WHERE connection_id = $1 AND resource = $2 AND partition = $3`;

/**
 * Compares a batch, writes what differs, numbers the changes, and notes for a full walk under way what was met and left as it was.
 * Params: 1 connection, 2 resource, 3 partition, 4 ids, 5 texts, 6 hashes, 7 versions, 8 deleted, 9 now. The connection's turn is held.
 *
 * - LIMIT keeps the look-up in the primary key what it is, one for each record, whatever the planner believes to know.
 * - `guard`: the deletion of a record never seen, kept so that an older event that comes late does not bring it to life.
 * - `version`: same content, newer version; written, but no change that a reader should see.
 * - `added`: the turn is held, so what the look-up did not find nobody else can have written.
 * - Whatever is written leaves a new version of the sequence's row: `STORE_PAGE` sees by it that somebody was there.
 */
const applied = (gate: string) => `
input AS (
  SELECT u.id, u.data, ${hashOf('$6', 'u.n')} AS hash, u.version, coalesce(u.deleted, false) AS deleted, u.n
  FROM ${gate} unnest($4::text[], string_to_array($5::text, chr(30)), $7::numeric[], $8::boolean[]) WITH ORDINALITY AS u(id, data, version, deleted, n)
), judged AS MATERIALIZED (
  SELECT i.*, r.change_no AS old_change, r.changed_at AS old_changed_at,
    CASE
      WHEN r.change_no IS NULL THEN CASE WHEN NOT i.deleted THEN 'created' WHEN i.version IS NOT NULL THEN 'guard' ELSE 'same' END
      WHEN i.version < r.version THEN 'same'
      WHEN i.deleted AND NOT r.deleted THEN 'deleted'
      WHEN NOT i.deleted AND r.deleted THEN 'created'
      WHEN NOT i.deleted AND r.hash <> i.hash THEN 'updated'
      WHEN i.version IS NOT NULL AND (r.version IS NULL OR i.version > r.version) THEN 'version'
      ELSE 'same'
    END AS verdict
  FROM input i LEFT JOIN LATERAL (
    SELECT hash, version, deleted, change_no, changed_at FROM records
    WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND external_id = i.id LIMIT 1
  ) r ON true
), changed AS (
  SELECT *, sum(CASE verdict WHEN 'version' THEN 0 ELSE 1 END) OVER (ROWS UNBOUNDED PRECEDING) AS step FROM judged WHERE verdict <> 'same'
), added AS (
  INSERT INTO records (${COLUMNS})
  SELECT $1, $2, $3, c.id, CASE WHEN NOT c.deleted THEN c.data::jsonb END, CASE WHEN NOT c.deleted THEN c.hash END, c.version, c.deleted,
    s.last_change + c.step, $9::timestamptz
  FROM changed c, record_sequences s WHERE s.connection_id = $1 AND c.old_change IS NULL
), written AS (
  INSERT INTO records AS r (${COLUMNS})
  SELECT $1, $2, $3, c.id, CASE WHEN NOT c.deleted THEN c.data::jsonb END, CASE WHEN NOT c.deleted THEN c.hash END, c.version, c.deleted,
    CASE verdict WHEN 'version' THEN c.old_change ELSE s.last_change + c.step END, CASE verdict WHEN 'version' THEN c.old_changed_at ELSE $9::timestamptz END
  FROM changed c, record_sequences s WHERE s.connection_id = $1 AND c.old_change IS NOT NULL
  ON CONFLICT (connection_id, resource, partition, external_id) DO UPDATE SET data = excluded.data, hash = excluded.hash,
    version = coalesce(excluded.version, r.version), deleted = excluded.deleted, change_no = excluded.change_no, changed_at = excluded.changed_at
), numbered AS (
  UPDATE record_sequences s SET last_change = s.last_change + c.steps
  FROM (SELECT coalesce(max(step), 0) AS steps, count(*) AS written FROM changed) c WHERE s.connection_id = $1 AND c.written > 0
), seen AS (
  INSERT INTO sync_seen (walk_id, connection_id, ids)
  SELECT w.walk_id, $1, array_agg(j.id) FROM sync_cursors w, judged j
  WHERE w.connection_id = $1 AND w.resource = $2 AND w.partition = $3 AND w.walk_id IS NOT NULL AND j.verdict IN ('same', 'version') AND NOT j.deleted
  GROUP BY w.walk_id
), counted AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE verdict = 'created')::int AS created, count(*) FILTER (WHERE verdict = 'updated')::int AS updated,
    count(*) FILTER (WHERE verdict = 'deleted')::int AS deleted, count(*) FILTER (WHERE verdict IN ('same', 'version', 'guard'))::int AS unchanged
  FROM judged
)`;

export const APPLY_BATCH = `WITH ${applied('')} SELECT * FROM counted`;

/**
 * A whole page of a run in one statement that is its own transaction: takes the turn, makes sure that the run is still held, applies
 * the batch, counts, and notes where to go on. Further params: 10 run, 11 fence, 12 fetched, 13 total, 14 checkpoint, 15 cursor.
 *
 * What a statement reads is as old as its beginning, and it may have waited for the turn since. `gate` notices: the row as it was
 * when the statement began must be the row that is now locked. If not, nothing is written.
 *
 * A page without a change does not wait for the disk: all that a power failure can take from it is where to go on.
 */
export const STORE_PAGE = `WITH held AS MATERIALIZED (
  SELECT s.ctid AS at FROM record_sequences s, sync_runs r
  WHERE s.connection_id = $1 AND r.id = $10 AND r.fence = $11 AND r.status = 'running' FOR UPDATE OF s, r
), gate AS MATERIALIZED (
  SELECT 1 FROM held, record_sequences s WHERE s.connection_id = $1 AND s.ctid = held.at
), ${applied('gate,')}, placed AS (${placed('gate', { now: '$9', checkpoint: '$14', cursor: '$15' })}), noted AS (
  UPDATE sync_runs r SET fetched = r.fetched + $12, created = r.created + c.created, updated = r.updated + c.updated, unchanged = r.unchanged + c.unchanged,
    deleted = r.deleted + c.deleted, total = coalesce($13, r.total), attempts = 1
  FROM counted c, gate WHERE r.id = $10
)
SELECT counted.*, (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM gate)::int AS passed,
  (SELECT ${COMMIT_WITHOUT_WAITING} WHERE NOT EXISTS (SELECT 1 FROM changed)) AS relaxed
FROM counted`;

/**
 * A page of which everything is stored as it is, in one statement: compares, counts, and notes where to go on. When anything differs it
 * writes nothing. The records' texts are not sent, and the connection's turn is not taken: what is written meanwhile comes after the
 * page. Params: 1 connection, 2 resource, 3 partition, 4 ids, 5 hashes, 6 versions, 7 now, 8 run, 9 fence, 10 fetched, 11 total,
 * 12 checkpoint, 13 cursor.
 */
export const STORE_SAME_PAGE = `WITH held AS MATERIALIZED (
  SELECT 1 FROM sync_runs WHERE id = $8 AND fence = $9 AND status = 'running' FOR UPDATE
), met AS MATERIALIZED (
  SELECT count(*) AS same FROM held, unnest($4::text[], $6::numeric[]) WITH ORDINALITY AS i(id, version, n) JOIN LATERAL (
    SELECT hash, version, deleted FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND external_id = i.id LIMIT 1
  ) r ON NOT r.deleted AND r.hash = ${hashOf('$5', 'i.n')} AND (i.version IS NULL OR i.version <= r.version)
), passed AS MATERIALIZED (
  SELECT same FROM met WHERE same = cardinality($4::text[])
), seen AS (
  INSERT INTO sync_seen (walk_id, connection_id, ids) SELECT w.walk_id, $1, $4 FROM sync_cursors w, passed
  WHERE w.connection_id = $1 AND w.resource = $2 AND w.partition = $3 AND w.walk_id IS NOT NULL
), placed AS (${placed('passed', { now: '$7', checkpoint: '$12', cursor: '$13' })}), noted AS (
  UPDATE sync_runs SET fetched = fetched + $10, unchanged = unchanged + same, total = coalesce($11, total), attempts = 1 FROM passed WHERE id = $8
)
SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM passed)::int AS passed, (SELECT ${COMMIT_WITHOUT_WAITING} FROM passed) AS relaxed`;

/**
 * What a full walk did not meet: live, not written since the walk began, not noted as seen. EXCEPT is a hash or a sort whatever
 * the planner believes. Params: connection, resource, partition, walk, last change before the walk.
 */
export const UNSEEN = `
SELECT external_id AS id FROM records
WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted AND change_no <= $5
EXCEPT
SELECT unnest(ids) FROM sync_seen WHERE walk_id = $4`;

export const LIVE_IN_PARTITION = `SELECT external_id AS id FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted`;
export const COUNT_LIVE_IN_PARTITION = `SELECT count(*)::int AS live FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted`;
export const COUNT_LIVE_IN_RESOURCE = `SELECT count(*)::int AS live FROM records WHERE connection_id = $1 AND resource = $2 AND NOT deleted`;
