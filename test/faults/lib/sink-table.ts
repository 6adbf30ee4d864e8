/** One row an effect, without a unique key: an effect done twice is two rows. */
export const SINK_TABLE = 'fault_effects';

export const CREATE_SINK = `CREATE TABLE IF NOT EXISTS ${SINK_TABLE} (
  no bigserial PRIMARY KEY, kind text NOT NULL, event_id text NOT NULL, connection_id uuid, pid int, at timestamptz NOT NULL DEFAULT clock_timestamp())`;
