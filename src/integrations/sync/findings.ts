import { CONNECTIONS } from '../connections';

/** What monitoring finds in the rows of this folder, with the columns of `Finding`. Connections of which `from` syncs in a row failed. */
export const failingSyncs = (from: number) => `
  SELECT 'sync_failing:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, s.failures AS count, c.account_name AS about,
    (SELECT r.error_code FROM sync_runs r WHERE r.connection_id = c.id AND r.status = 'failed' ORDER BY r.created_at DESC LIMIT 1) AS code
  FROM sync_schedules s JOIN ${CONNECTIONS} c ON c.id = s.connection_id WHERE s.failures >= ${from} AND c.status = 'connected'`;

/** Connections of which one part could not be read in `from` syncs in a row; everything else was. */
export const failingParts = (from: number) => `
  SELECT 'sync_part_failing:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, s.part_failures AS count,
    r.error_message AS about, r.error_code AS code
  FROM sync_schedules s JOIN ${CONNECTIONS} c ON c.id = s.connection_id
  LEFT JOIN LATERAL (SELECT error_message, error_code FROM sync_runs r
    WHERE r.connection_id = c.id AND r.status = 'succeeded' AND r.error_code IS NOT NULL AND r.resources = '{}' ORDER BY r.created_at DESC LIMIT 1) r ON true
  WHERE s.part_failures >= ${from} AND s.enabled AND c.status = 'connected'`;

/** Runs that wait for a confirmation. */
export const PAUSED_RUNS = `
  SELECT 'sync_confirmation:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, 1 AS count, c.account_name AS about, r.error_code AS code
  FROM sync_runs r JOIN ${CONNECTIONS} c ON c.id = r.connection_id WHERE r.status = 'paused'`;
