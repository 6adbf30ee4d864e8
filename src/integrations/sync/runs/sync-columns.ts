/** How the sync of a connection `c` stands. An index scan for each: `sync_runs_by_connection`; an EXISTS would be answered for all connections at once. */
export const SYNC_COLUMNS = `
  (SELECT r.finished_at FROM sync_runs r WHERE r.connection_id = c.id AND r.status = 'succeeded' ORDER BY r.created_at DESC LIMIT 1) AS last_sync,
  (SELECT true FROM sync_runs r WHERE r.connection_id = c.id AND r.status IN ('queued', 'running') LIMIT 1) IS NOT NULL AS syncing,
  (SELECT coalesce(json_agg(p), '[]') FROM (SELECT resource, partition, label, extent, shape_errors, shape_error, failures, error_code, error_message, failing_since, next_try_at FROM sync_parts
    WHERE connection_id = c.id ORDER BY failures > 0 DESC, shape_errors > 0 DESC, resource, partition LIMIT 100) p) AS parts`;
