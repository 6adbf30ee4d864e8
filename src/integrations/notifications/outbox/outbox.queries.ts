/**
 * Events, and one delivery for each destination that wants them. A destination that has been paused gets its deliveries too: they wait.
 * $1 ids, $2 tenants, $3 types, $4 connections, $5 webhook types, $6 times, $7 bodies, $8 ms until a delivery is given up,
 * $9 which are urgent: they are due since yesterday, and so before all that waits, $10 payloads of the events;
 * payloads: $11 ids, $12 tenants, $13 connections, $14 bodies, $15 times; $16 what events are kept in order by,
 * $17 events and $18 destinations: which of those that choose by content want which; $19 where the events happened, of their traces.
 * What whoever runs the service hears of all organizations is that destination's: no organization sees it. Of an alert it has a copy of its own.
 * An ordered destination gets numbers in the order of the statement (https://www.postgresql.org/docs/current/sql-select.html, ORDER BY).
 */
export const ADD_EVENTS = `
  WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[], $9::boolean[], $10::uuid[], $16::text[], $19::text[])
      AS g (id, tenant, type, connection_id, webhook_type, at, body, urgent, payload_id, object, traceparent)),
  wanted AS MATERIALIZED (
    SELECT g.id, d.tenant, g.type, g.at, g.urgent, d.id AS destination_id, CASE WHEN d.ordered THEN hashtextextended(g.object, 0) END AS order_key
    FROM given g CROSS JOIN LATERAL (
      SELECT * FROM destinations WHERE tenant = g.tenant AND scope = 'tenant'
      UNION ALL SELECT * FROM destinations WHERE scope = 'all' AND g.type NOT IN ('alert.opened', 'alert.resolved')
      UNION ALL SELECT * FROM destinations WHERE scope = 'all' AND g.type IN ('alert.opened', 'alert.resolved') AND g.tenant = '') d
    WHERE g.type = ANY (d.events) AND (d.match IS NULL OR (g.id, d.id) IN (SELECT * FROM unnest($17::uuid[], $18::uuid[])))
      AND (g.webhook_type IS NULL OR d.webhook_types = '{}' OR EXISTS (
      SELECT 1 FROM unnest(d.webhook_types) p WHERE p = g.webhook_type OR (right(p, 1) = '*' AND starts_with(g.webhook_type, left(p, -1)))))),
  stored AS (
    INSERT INTO outbox (id, tenant, type, connection_id, body, created_at, payload_id, traceparent)
    SELECT g.id, g.tenant, g.type, g.connection_id, g.body, g.at, g.payload_id, g.traceparent FROM given g WHERE g.id IN (SELECT id FROM wanted)
    RETURNING payload_id),
  payloads AS (
    INSERT INTO outbox_payloads (id, tenant, connection_id, body, created_at)
    SELECT p.* FROM unnest($11::uuid[], $12::text[], $13::uuid[], $14::text[], $15::timestamptz[]) AS p (id, tenant, connection_id, body, at)
    WHERE p.id IN (SELECT payload_id FROM stored))
  INSERT INTO deliveries (id, message_id, destination_id, tenant, type, next_attempt_at, give_up_at, created_at, order_key, order_number)
  SELECT gen_random_uuid(), w.id, w.destination_id, w.tenant, w.type, CASE WHEN w.urgent THEN now() - interval '1 day' ELSE now() END,
    w.at + $8::float8 * interval '1 millisecond', w.at,
    w.order_key, CASE WHEN w.order_key IS NOT NULL THEN nextval('delivery_order') END FROM wanted w ORDER BY w.id`;

/**
 * The first cursor stays: changes of a connection come in their order, so it is the one from before all of them.
 * $1 connection, $2 resource, $3 tenant, $4 provider, $5 cursor, $6 created, $7 updated, $8 deleted, $9 at, $10 ms to gather.
 */
export const GATHER_CHANGES = `
  INSERT INTO record_change_batches AS c (connection_id, resource, tenant, provider, cursor, created, updated, deleted, at, flush_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10::float8 * interval '1 millisecond')
  ON CONFLICT (connection_id, resource) DO UPDATE SET
    created = c.created + excluded.created, updated = c.updated + excluded.updated, deleted = c.deleted + excluded.deleted, at = excluded.at`;

/** Takes what has been gathered long enough. $1 most. */
export const TAKE_CHANGES = `
  WITH due AS MATERIALIZED (
    SELECT connection_id, resource FROM record_change_batches WHERE flush_at <= now() ORDER BY flush_at LIMIT $1 FOR UPDATE SKIP LOCKED),
  taken AS (
    DELETE FROM record_change_batches c USING due d WHERE c.connection_id = d.connection_id AND c.resource = d.resource RETURNING c.*)
  SELECT * FROM taken`;
