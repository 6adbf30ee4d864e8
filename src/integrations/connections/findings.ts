/** What monitoring finds in the rows of this folder, with the columns of `Finding`. A connection that needs its user. */
export const LOST_CONNECTIONS = `
  SELECT 'connection_lost:' || id AS key, provider, tenant, id AS connection_id, 1 AS count, account_name AS about, error_code AS code
  FROM connections WHERE status = 'needs_reauth'`;
