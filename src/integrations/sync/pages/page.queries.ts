import { COMMIT_WITHOUT_WAITING } from '../../../database';
import { applied, COLUMNS, hashOf, lookedUp } from '../records/record.queries';

/**
 * The statements that store a page of a run. Each is its own transaction and makes sure that the run is still held, notes what was
 * counted and where to go on. Params: those of `APPLY_BATCH`, as many as are needed, then the run's.
 */
const run = (first: number) => {
  const [id, fence, fetched, total, checkpoint, cursor] = Array.from({ length: 6 }, (_, n) => `$${first + n}`);
  return { id, fence, fetched, total, checkpoint, cursor };
};
type Run = ReturnType<typeof run>;

/**
 * Takes the turn. What a statement reads is as old as its beginning, and it may have waited for the turn since. `gate` notices: the row
 * as it was when the statement began must be the row that is now locked. If not, nothing is written.
 */
const turn = ({ id, fence }: Run) => `held AS MATERIALIZED (
  SELECT s.ctid AS at FROM record_sequences s, sync_runs r
  WHERE s.connection_id = $1 AND r.id = ${id} AND r.fence = ${fence} AND r.status = 'running' FOR UPDATE OF s, r
), gate AS MATERIALIZED (
  SELECT s.last_change FROM held, record_sequences s WHERE s.connection_id = $1 AND s.ctid = held.at
)`;

const placed = (gate: string, { checkpoint, cursor }: Run) => `placed AS (
  UPDATE sync_cursors SET checkpoint = coalesce(${checkpoint}::jsonb, checkpoint), pending_cursor = coalesce(${cursor}::jsonb, pending_cursor), updated_at = $7
  FROM ${gate} WHERE connection_id = $1 AND resource = $2 AND partition = $3
)`;

const noted = (gate: string, { id, fetched, total }: Run, counts: string) => `noted AS (
  UPDATE sync_runs r SET fetched = r.fetched + ${fetched}, ${counts}, total = coalesce(${total}, r.total), attempts = 1, error_code = NULL, error_message = NULL FROM ${gate} WHERE r.id = ${id}
)`;

/** Any page. One without a change does not wait for the disk: all that a power failure can take from it is where to go on. */
export const STORE_PAGE = `WITH ${turn(run(12))}, ${applied('gate,')}, ${placed('gate', run(12))}, ${noted(
  'counted c, gate',
  run(12),
  'created = r.created + c.created, updated = r.updated + c.updated, unchanged = r.unchanged + c.unchanged, deleted = r.deleted + c.deleted',
)}
SELECT counted.*, (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM gate)::int AS passed,
  (SELECT ${COMMIT_WITHOUT_WAITING} WHERE NOT EXISTS (SELECT 1 FROM changed) AND NOT EXISTS (SELECT 1 FROM hanging)) AS relaxed
FROM counted`;

/** A page of nothing but records that are not stored yet, at two thirds of the cost. If any is, nothing is written. */
export const STORE_NEW_PAGE = `WITH ${turn(run(9))}, passed AS MATERIALIZED (
  SELECT last_change FROM gate WHERE NOT EXISTS (SELECT 1 FROM unnest($4::text[]) AS i(id) JOIN LATERAL (${lookedUp('i.id', '1')}) r ON true)
), added AS (
  INSERT INTO records (${COLUMNS})
  SELECT $1, $2, $3, u.id, u.data::jsonb, ${hashOf('$5', 'u.n')}, u.version, false, p.last_change + u.n, $7::timestamptz, NULL
  FROM passed p, unnest($4::text[], string_to_array($8::text, chr(30)), $6::numeric[]) WITH ORDINALITY AS u(id, data, version, n)
), numbered AS (
  UPDATE record_sequences s SET last_change = s.last_change + cardinality($4::text[]) FROM passed WHERE s.connection_id = $1
), ${placed('passed', run(9))}, ${noted('passed', run(9), 'created = r.created + cardinality($4::text[])')}
SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM passed)::int AS passed`;

/**
 * A page of which everything is stored as it is. The texts are not sent; if anything differs, nothing is written. The connection's turn
 * is not taken: what is written meanwhile comes after the page.
 */
export const STORE_SAME_PAGE = `WITH held AS MATERIALIZED (
  SELECT 1 FROM sync_runs WHERE id = ${run(8).id} AND fence = ${run(8).fence} AND status = 'running' FOR UPDATE
), met AS MATERIALIZED (
  SELECT count(*) AS same FROM held, unnest($4::text[], $6::numeric[]) WITH ORDINALITY AS i(id, version, n)
  JOIN LATERAL (${lookedUp('i.id', 'hash, version, deleted')}) r ON NOT r.deleted AND r.hash = ${hashOf('$5', 'i.n')} AND (i.version IS NULL OR i.version <= r.version)
), passed AS MATERIALIZED (
  SELECT same FROM met WHERE same = cardinality($4::text[])
), seen AS (
  INSERT INTO sync_seen (walk_id, connection_id, ids) SELECT w.walk_id, $1, $4 FROM sync_cursors w, passed
  WHERE w.connection_id = $1 AND w.resource = $2 AND w.partition = $3 AND w.walk_id IS NOT NULL
), ${placed('passed', run(8))}, ${noted('passed', run(8), 'unchanged = r.unchanged + passed.same')}
SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM passed)::int AS passed, (SELECT ${COMMIT_WITHOUT_WAITING} FROM passed) AS relaxed`;
