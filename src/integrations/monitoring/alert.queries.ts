/** How long each statement of a rule may take, ms: those after it have their look all the same. */
export const RULE_TIMEOUT_MS = 5_000;
export const LIMIT_RULE = `SET LOCAL statement_timeout = ${RULE_TIMEOUT_MS}`;

/** The findings of a rule, read in parts: it may have any number of them. */
export const openFindings = (sql: string) => `DECLARE findings NO SCROLL CURSOR FOR ${sql}`;
export const nextFindings = (count: number) => `FETCH ${count} FROM findings`;

/**
 * One open alert per key, whatever the number of processes. Only who inserts a row gets it as `opened`, so each is told once.
 * $1 kind, $2 severity, $3 ids, $4 keys, $5 providers, $6 tenants, $7 connections, $8 titles, $9 details, $10 next steps, $11 counts.
 */
export const STORE_FINDINGS = `
  INSERT INTO alerts AS a (id, kind, key, severity, provider, tenant, connection_id, state, title, detail, next_step, count, opened_at, last_seen_at)
  SELECT f.id, $1, f.key, $2, f.provider, f.tenant, f.connection_id, 'open', f.title, f.detail, f.next_step, f.count, clock_timestamp(), clock_timestamp()
  FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::int[])
    AS f (id, key, provider, tenant, connection_id, title, detail, next_step, count) ORDER BY f.key
  ON CONFLICT (key) WHERE state IN ('open', 'acknowledged')
  DO UPDATE SET count = excluded.count, detail = excluded.detail, next_step = excluded.next_step, last_seen_at = excluded.last_seen_at
  RETURNING a.*, (xmax = 0) AS opened`;

/** What was not found since `$2` is over. $1 kind, $2 when the rule began to look, as text: a `Date` would cut it to the ms. */
export const RESOLVE_OTHERS = `
  WITH over AS (
    UPDATE alerts SET state = 'resolved', resolved_at = clock_timestamp()
    WHERE kind = $1 AND state IN ('open', 'acknowledged') AND last_seen_at < $2::timestamptz RETURNING *)
  SELECT * FROM over`;
