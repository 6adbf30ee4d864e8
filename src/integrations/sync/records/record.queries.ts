import { CONNECTIONS } from '../../connections';
import { HASH_BYTES } from './canonical-json';

/** Takes the connection's turn to write: whoever holds it draws the next change numbers. Params: connection. */
export const LOCK_SEQUENCE = `SELECT 1 FROM record_sequences WHERE connection_id = $1 FOR UPDATE`;

export const CREATE_SEQUENCE = `INSERT INTO record_sequences (connection_id) SELECT c.id FROM ${CONNECTIONS} c WHERE c.id = $1 ON CONFLICT DO NOTHING`;

export const KNOW_PARTITION = `INSERT INTO sync_cursors (connection_id, resource, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;

export const COLUMNS = 'connection_id, resource, partition, external_id, data, hash, version, deleted, change_no, changed_at, part_of';

/** The n-th of the hashes that stand end to end. */
export const hashOf = (hashes: string, n: string) =>
  `substring(${hashes}::bytea FROM (${n}::int - 1) * ${HASH_BYTES} + 1 FOR ${HASH_BYTES})`;

/** The record of an id, by the whole key. LIMIT keeps it a look-up for each id, whatever the planner believes to know. */
export const lookedUp = (id: string, columns: string) =>
  `SELECT ${columns} FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND external_id = ${id} LIMIT 1`;

/**
 * Compares a batch, writes what differs, numbers the changes, and notes for a full walk under way what was met and left as it was.
 * Params: 1 connection, 2 resource, 3 partition, 4 ids, 5 hashes, 6 versions, 7 now, 8 texts, 9 deleted, 10 part of, 11 required. The
 * connection's turn is held.
 *
 * - `guard`: the deletion of a record never seen, kept so that an older event that comes late does not bring it to life.
 * - `version`: same content, newer version or another parent; written, but no change that a reader should see.
 * - `hanging`: goes with what was deleted, but for what this batch tells of itself. A record of another resource stays while what it
 *   hangs on lives in another partition: there it has moved.
 * - `added`: the turn is held, so what the look-up did not find nobody else can have written.
 * - Whatever is written leaves a new version of the sequence's row: `STORE_PAGE` sees by it that somebody was there.
 */
export const applied = (gate: string) => `
input AS (
  SELECT u.id, u.data, ${hashOf('$5', 'u.n')} AS hash, u.version, u.n, CASE WHEN starts_with(u.part_of, '/') THEN $2 || u.part_of ELSE u.part_of END AS part_of,
    coalesce(u.deleted, false) OR CASE WHEN u.required THEN coalesce((${lookedUp('substr(u.part_of, 2)', 'deleted')}), false) ELSE false END AS deleted
  FROM ${gate} unnest($4::text[], string_to_array($8::text, chr(30)), $6::numeric[], $9::boolean[], $10::text[], $11::boolean[])
    WITH ORDINALITY AS u(id, data, version, deleted, part_of, required, n)
), judged AS MATERIALIZED (
  SELECT i.*, r.change_no AS old_change, r.changed_at AS old_changed_at, coalesce(i.version < r.version, false) AS outdated,
    CASE
      WHEN r.change_no IS NULL THEN CASE WHEN NOT i.deleted THEN 'created' WHEN i.version IS NOT NULL THEN 'guard' ELSE 'same' END
      WHEN i.version < r.version THEN 'same'
      WHEN i.deleted AND NOT r.deleted THEN 'deleted'
      WHEN NOT i.deleted AND r.deleted THEN 'created'
      WHEN NOT i.deleted AND r.hash <> i.hash THEN 'updated'
      WHEN i.version IS NOT NULL AND (r.version IS NULL OR i.version > r.version) THEN 'version'
      WHEN NOT i.deleted AND i.part_of IS DISTINCT FROM r.part_of THEN 'version'
      ELSE 'same'
    END AS verdict
  FROM input i LEFT JOIN LATERAL (${lookedUp('i.id', 'hash, version, deleted, change_no, changed_at, part_of')}) r ON true
), changed AS (
  SELECT *, sum(CASE verdict WHEN 'version' THEN 0 ELSE 1 END) OVER (ROWS UNBOUNDED PRECEDING) AS step FROM judged WHERE verdict <> 'same'
), added AS (
  INSERT INTO records (${COLUMNS})
  SELECT $1, $2, $3, c.id, CASE WHEN NOT c.deleted THEN c.data::jsonb END, CASE WHEN NOT c.deleted THEN c.hash END, c.version, c.deleted,
    s.last_change + c.step, $7::timestamptz, c.part_of
  FROM changed c, record_sequences s WHERE s.connection_id = $1 AND c.old_change IS NULL
), written AS (
  INSERT INTO records AS r (${COLUMNS})
  SELECT $1, $2, $3, c.id, CASE WHEN NOT c.deleted THEN c.data::jsonb END, CASE WHEN NOT c.deleted THEN c.hash END, c.version, c.deleted,
    CASE verdict WHEN 'version' THEN c.old_change ELSE s.last_change + c.step END, CASE verdict WHEN 'version' THEN c.old_changed_at ELSE $7::timestamptz END, c.part_of
  FROM changed c, record_sequences s WHERE s.connection_id = $1 AND c.old_change IS NOT NULL
  ON CONFLICT (connection_id, resource, partition, external_id) DO UPDATE SET data = excluded.data, hash = excluded.hash,
    version = coalesce(excluded.version, r.version), deleted = excluded.deleted, change_no = excluded.change_no, changed_at = excluded.changed_at,
    part_of = CASE WHEN excluded.deleted THEN r.part_of ELSE excluded.part_of END
), hanging AS MATERIALIZED (
  SELECT h.resource, h.partition, h.external_id, row_number() OVER () AS n
  FROM judged j JOIN records h ON h.connection_id = $1 AND h.part_of = $2 || '/' || j.id AND NOT h.deleted
  WHERE j.deleted AND NOT j.outdated AND CASE WHEN h.resource = $2 THEN h.partition = $3 AND h.external_id <> ALL ($4::text[])
    ELSE NOT EXISTS (SELECT 1 FROM records o WHERE o.connection_id = $1 AND o.resource = $2 AND o.partition <> $3 AND o.external_id = j.id AND NOT o.deleted) END
), gone AS (
  UPDATE records r SET data = NULL, hash = NULL, deleted = true, changed_at = $7::timestamptz,
    change_no = s.last_change + (SELECT coalesce(max(step), 0) FROM changed) + h.n
  FROM hanging h, record_sequences s
  WHERE s.connection_id = $1 AND r.connection_id = $1 AND r.resource = h.resource AND r.partition = h.partition AND r.external_id = h.external_id
), numbered AS (
  UPDATE record_sequences s SET last_change = s.last_change + c.steps + g.hanging
  FROM (SELECT coalesce(max(step), 0) AS steps, count(*) AS written FROM changed) c, (SELECT count(*) AS hanging FROM hanging) g
  WHERE s.connection_id = $1 AND (c.written > 0 OR g.hanging > 0)
), seen AS (
  INSERT INTO sync_seen (walk_id, connection_id, ids)
  SELECT w.walk_id, $1, array_agg(j.id) FROM sync_cursors w, judged j
  WHERE w.connection_id = $1 AND w.resource = $2 AND w.partition = $3 AND w.walk_id IS NOT NULL AND j.verdict IN ('same', 'version') AND NOT j.deleted
  GROUP BY w.walk_id
), counted AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE verdict = 'created')::int AS created, count(*) FILTER (WHERE verdict = 'updated')::int AS updated,
    count(*) FILTER (WHERE verdict = 'deleted')::int + (SELECT count(*) FROM hanging WHERE resource = $2)::int AS deleted,
    (SELECT jsonb_object_agg(e.resource, e.deleted) FROM (SELECT resource, count(*) AS deleted FROM hanging WHERE resource <> $2 GROUP BY resource) e) AS elsewhere,
    count(*) FILTER (WHERE verdict IN ('same', 'version', 'guard'))::int AS unchanged
  FROM judged
)`;

export const APPLY_BATCH = `WITH ${applied('')} SELECT * FROM counted`;

/**
 * What a full walk did not meet: live, not written since the walk began, not noted as seen. EXCEPT is a hash or a sort whatever
 * the planner believes. Params: connection, resource, partition, walk, last change before the walk.
 */
export const UNSEEN = `
SELECT external_id AS id FROM records
WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted AND change_no <= $5
EXCEPT
SELECT unnest(ids) FROM sync_seen WHERE walk_id = $4`;

/** Params: connection, resource, what they hang on, the partition and id of the last one before, how many. */
export const PARTS_OF = `SELECT external_id AS id, partition, data FROM records WHERE connection_id = $1 AND resource = $2 AND part_of = $3 AND NOT deleted
  AND (partition, external_id) > ($4, $5) ORDER BY partition, external_id LIMIT $6`;

export const LIVE_IN_PARTITION = `SELECT external_id AS id FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted`;
export const COUNT_LIVE_IN_PARTITION = `SELECT count(*)::int AS live FROM records WHERE connection_id = $1 AND resource = $2 AND partition = $3 AND NOT deleted`;
export const COUNT_LIVE_IN_RESOURCE = `SELECT count(*)::int AS live FROM records WHERE connection_id = $1 AND resource = $2 AND NOT deleted`;
