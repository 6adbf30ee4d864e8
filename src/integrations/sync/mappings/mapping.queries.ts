import { CONNECTIONS } from '../../connections';

/** A connection's own goes before its organization's. $1 tenant, $2 provider, $3 resource, $4 connection. */
export const MAPPING_IN_FORCE = `
  SELECT id, version, expression FROM record_mappings
  WHERE ended_at IS NULL AND tenant = $1 AND provider = $2 AND resource = $3 AND (connection_id = $4 OR connection_id IS NULL)
  ORDER BY connection_id NULLS LAST LIMIT 1`;

/** Ends what is in force at a place: what takes its place tells of it. $1 tenant, $2 provider, $3 resource, $4 connection or null, $5 now. */
export const END_AT = `
  UPDATE record_mappings SET ended_at = $5, told_at = coalesce(told_at, $5)
  WHERE ended_at IS NULL AND tenant = $1 AND provider = $2 AND resource = $3 AND connection_id IS NOT DISTINCT FROM $4::uuid`;

/** $1 id, $2 tenant, $3 provider, $4 resource, $5 connection or null, $6 expression, $7 person, $8 now. */
export const ADD_VERSION = `
  INSERT INTO record_mappings (id, tenant, provider, resource, connection_id, version, expression, created_by, created_at)
  SELECT $1, $2, $3, $4, $5::uuid, 1 + coalesce(max(m.version), 0), $6, $7, $8 FROM record_mappings m
  WHERE m.tenant = $2 AND m.provider = $3 AND m.resource = $4 AND m.connection_id IS NOT DISTINCT FROM $5::uuid`;

/**
 * Gives living records of a connection anew, in the order in which they stand: readers of the feed meet them again, and so the mapping's
 * word of them. What was changed after $3 was read with it already; so the statement finds less each time, and goes on after a crash.
 * The connection's turn is held. $1 connection, $2 resource, $3 since when the mapping is in force, $4 most.
 */
export const TELL_ANEW = `
  WITH picked AS MATERIALIZED (
    SELECT r.partition, r.external_id, row_number() OVER (ORDER BY r.change_no) AS n FROM records r
    WHERE r.connection_id = $1 AND r.resource = $2 AND r.change_no > 0 AND NOT r.deleted AND r.changed_at < $3::timestamptz
    ORDER BY r.change_no LIMIT $4),
  told AS (
    UPDATE records r SET change_no = s.last_change + p.n, changed_at = greatest(now(), $3::timestamptz) FROM picked p, record_sequences s
    WHERE s.connection_id = $1 AND r.connection_id = $1 AND r.resource = $2 AND r.partition = p.partition AND r.external_id = p.external_id
    RETURNING 1),
  moved AS (
    UPDATE record_sequences SET last_change = last_change + (SELECT count(*) FROM picked) WHERE connection_id = $1)
  SELECT count(*)::int AS told FROM told`;

/** Connections whose records a mapping is about, page by page. $1 mapping, $2 the last connection before, $3 most. */
export const CONCERNED = `
  SELECT c.id FROM record_mappings m JOIN ${CONNECTIONS} c ON c.tenant = m.tenant AND c.provider = m.provider AND (m.connection_id IS NULL OR m.connection_id = c.id)
  WHERE m.id = $1 AND c.id > $2::uuid AND (m.connection_id IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM record_mappings own WHERE own.ended_at IS NULL AND own.connection_id = c.id AND own.resource = m.resource))
  ORDER BY c.id LIMIT $3`;

/** The newest records of an organization's connections. $1 tenant, $2 provider, $3 resource, $4 connection or null, $5 most. */
export const SAMPLE = `
  SELECT r.connection_id, r.external_id, r.data FROM ${CONNECTIONS} c CROSS JOIN LATERAL (
    SELECT * FROM records r WHERE r.connection_id = c.id AND r.resource = $3 AND r.change_no > 0 AND NOT r.deleted
    ORDER BY r.change_no DESC LIMIT $5) r
  WHERE c.tenant = $1 AND c.provider = $2 AND ($4::uuid IS NULL OR c.id = $4) ORDER BY r.changed_at DESC LIMIT $5`;
