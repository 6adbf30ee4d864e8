/** What monitoring finds in the rows of this folder, with the columns of `Finding`. Events that were given up. */
export const DEAD_EVENTS = `
  SELECT 'dead_letters:' || provider || coalesce(':tenant:' || tenant, '') AS key, provider, tenant, NULL::uuid AS connection_id, count(*)::int AS count,
    min(type) AS about, max(error_code) AS code
  FROM webhook_events WHERE status = 'dead' GROUP BY provider, tenant`;
