/** Sums over minutes `b`. */
export interface TrafficRow {
  ok: string | null;
  failed: string | null;
  limited: string | null;
  last_ok_at: Date | null;
  last_failed_at: Date | null;
}

export const TRAFFIC = `sum(b.ok) AS ok, sum(b.failed) AS failed, sum(b.limited) AS limited, max(b.last_ok_at) AS last_ok_at, max(b.last_failed_at) AS last_failed_at`;

/** The minute sums by connection that the request chain writes; sums over many are in the figures. Stands behind FROM or JOIN, under the name `b`; the planner sees through it. */
export const MINUTES = `(SELECT minute, provider, tenant, connection_id, ok, failed, limited, last_ok_at, last_failed_at FROM request_buckets)`;
