import { CONNECTIONS } from '../connections';

/** What monitoring finds in the rows of this folder, with the columns of `Finding`. Connections of which `from` syncs in a row failed. */
export const failingSyncs = (from: number) => `
  SELECT 'sync_failing:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, s.failures AS count, c.account_name AS about,
    (SELECT r.error_code FROM sync_runs r WHERE r.connection_id = c.id AND r.status = 'failed' ORDER BY r.created_at DESC LIMIT 1) AS code
  FROM sync_schedules s JOIN ${CONNECTIONS} c ON c.id = s.connection_id WHERE s.failures >= ${from} AND c.status = 'connected'`;

/** Connections of which a part could not be read in `from` tries in a row; one finding names them all. */
export const failingParts = (from: number) => `
  SELECT 'sync_part_failing:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, p.failures AS count, p.about, p.code
  FROM (SELECT connection_id, max(failures) AS failures, left(string_agg(DISTINCT label || ': ' || error_message, ' '), 1000) AS about, min(error_code) AS code
    FROM sync_parts WHERE failures >= ${from} GROUP BY connection_id) p
  JOIN ${CONNECTIONS} c ON c.id = p.connection_id WHERE c.status = 'connected'`;

/** Runs that wait for a confirmation. */
export const PAUSED_RUNS = `
  SELECT 'sync_confirmation:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, 1 AS count, c.account_name AS about, r.error_code AS code
  FROM sync_runs r JOIN ${CONNECTIONS} c ON c.id = r.connection_id WHERE r.status = 'paused'`;
