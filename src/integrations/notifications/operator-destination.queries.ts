/** A destination that the settings name. It is never paused: alerts are worth a day of tries. $1 id, $2 tenant, $3 name, $4 url, $5 events, $6 now. */
export const STORE_OPERATOR_DESTINATION = `
  INSERT INTO destinations (id, tenant, name, url, events, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url, events = excluded.events, status = 'active', paused_reason = NULL, paused_at = NULL,
    updated_at = excluded.updated_at`;

/** Those that the settings name no more, and what waits for them. $1 tenant, $2 those that stay. */
export const REMOVE_OPERATOR_DESTINATIONS = `
  WITH gone AS (DELETE FROM destinations WHERE tenant = $1 AND scope = 'tenant' AND id <> ALL ($2::uuid[]) RETURNING id)
  UPDATE deliveries SET status = 'dead', error_code = 'destination_removed' FROM gone WHERE destination_id = gone.id AND status = 'pending'`;
