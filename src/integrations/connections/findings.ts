/** What monitoring finds in the rows of this folder, with the columns of `Finding`. A connection that needs its user. */
export const LOST_CONNECTIONS = `
  SELECT 'connection_lost:' || id AS key, provider, tenant, id AS connection_id, 1 AS count, account_name AS about, error_code AS code
  FROM connections WHERE status = 'needs_reauth'`;

/** Changed by something else than this service. The operator's alone: one, however many they are. */
export const ALTERED_CONNECTIONS = `
  SELECT 'connection_altered' AS key, NULL AS provider, NULL AS tenant, NULL::uuid AS connection_id, count(*)::int AS count,
    min(id::text) AS about, NULL AS code
  FROM connections WHERE altered_at IS NOT NULL HAVING count(*) > 0`;
