import type { SqlRunner } from '../../src/database';

const DAY_MS = 86_400_000;

/** How much of what there is. */
export interface Filling {
  /** Events and records; half as many messages to the product and entries of the audit. */
  readonly rows: number;
  /** Default: a quarter of `rows`. */
  readonly connections?: number;
  /** Runs and logged requests. Default: `rows`. */
  readonly runs?: number;
}

/**
 * Statements that fill a migrated database: events and records, runs and logged requests of the last three months or month, connections
 * of `rows / 1000` organizations. Most is over; a few of each kind wait, failed or are dead. By itself, in seconds for 100,000 rows.
 */
export function fillStatements({ rows, connections = Math.max(100, Math.ceil(rows / 4)), runs = rows }: Filling): readonly string[] {
  const perConnection = Math.max(1, Math.round(rows / connections));
  const tenants = Math.max(10, Math.ceil(rows / 1_000));
  /** `g.n` of `of` rows, evenly over the last days; `g.at` is the time in ms. */
  const spread = (of: number, days: number) =>
    `(SELECT n::bigint AS n, (extract(epoch FROM now()) * 1000 - (1 - n / ${of}.0) * ${days * DAY_MS}.0)::bigint AS at FROM generate_series(1, ${of}) n) g`;
  const each = (of: number, days: number) => `${spread(of, days)} JOIN filled c ON c.n = 1 + (g.n * 7919) % ${connections}`;
  const time = 'to_timestamp(g.at / 1000.0)';
  /** A UUIDv7 of the time, different for each row of a table. */
  const id = (n = 'g.n', at = 'g.at') =>
    `(overlay(lpad(to_hex(${at}), 12, '0') || '-7' || lpad(to_hex(${n} % 4096), 3, '0') || '-8' || lpad(to_hex(${n} / 4096), 3, '0') || '-' || lpad(to_hex(${n}), 12, '0') PLACING '-' FROM 9 FOR 0))::uuid`;
  return [
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, seal, created_at)
     SELECT ${id()}, 't' || g.n % ${tenants}, 'u' || g.n % ${connections / 5}, (ARRAY['slack', 'stripe', 'google', 'github', 'hubspot'])[1 + g.n % 5],
       'acc' || g.n, 'Account ' || g.n, 'acc' || g.n, 'oauth2', CASE WHEN g.n % 500 = 0 THEN 'needs_reauth' WHEN g.n % 50 = 0 THEN 'disconnected' ELSE 'connected' END, '', ${time}
     FROM ${spread(connections, 365)}`,
    // As a minute later.
    `SELECT recount_connections()`,
    `CREATE TABLE filled AS SELECT row_number() OVER (ORDER BY id) AS n, id, tenant, provider, routing_key FROM connections`,
    `CREATE UNIQUE INDEX ON filled (n)`,
    `ANALYZE filled`,
    `INSERT INTO record_sequences (connection_id, last_change) SELECT id, ${perConnection} FROM filled`,
    `INSERT INTO sync_schedules (connection_id, next_incremental_at, next_full_at, next_due_at)
     SELECT id, now() + n * interval '1 minute', now() + interval '3 days', now() + n * interval '1 minute' FROM filled`,
    `INSERT INTO records (connection_id, resource, external_id, data, hash, change_no, deleted)
     SELECT c.id, 'customers', 'r' || s, jsonb_build_object('id', 'r' || s, 'name', repeat('x', 200)), decode(md5(s::text), 'hex'), s, s = 3
     FROM filled c, generate_series(1, ${perConnection}) s`,
    `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version, status, attempts,
       next_attempt_at, received_at, processed_at, last_error, error_code)
     SELECT ${id()}, ${id()}, c.provider, 'evt_' || g.n, 'type' || g.n % 20, c.routing_key, c.id, c.tenant, 'o/' || g.n % 1000, g.n,
       CASE WHEN g.n % 2000 = 0 THEN 'dead' WHEN g.n % 5000 = 1 THEN 'failed' ELSE 'completed' END, 1, now() + interval '1 hour', ${time}, ${time},
       CASE WHEN g.n % 2000 = 0 THEN 'It broke' END, CASE WHEN g.n % 2000 = 0 THEN 'webhook_handler_failed' END
     FROM ${each(rows, 90)}`,
    `INSERT INTO webhook_payloads (id, headers, body)
     SELECT id, '{"content-type":"application/json"}', convert_to('{"a":"' || repeat(md5(event_id), 20) || '"}', 'utf8') FROM webhook_events
     WHERE received_at > now() - interval '30 days'`,
    `INSERT INTO object_marks (connection_id, object_key, version, event_id, updated_at)
     SELECT id, 'o/' || s, 1, 'e', now() - s * interval '20 days' FROM filled, generate_series(1, 4) s`,
    `INSERT INTO webhook_replays (id, actor, tenant, filter, matched, last_id, at) SELECT ${id()}, 'ann', 't' || g.n % ${tenants}, '{}', 1, ${id()}, ${time} FROM ${spread(1_000, 30)}`,
    `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, attempt, duration_ms, operation)
     SELECT ${id()}, ${time}, c.provider, c.tenant, c.id, 'GET', 'things.list', 200, CASE WHEN g.n % 1000 = 0 THEN 'server_error' ELSE 'ok' END, 1, 50,
       CASE WHEN g.n % 3000 = 0 THEN 'message.send' END FROM ${each(runs, 30)}`,
    `INSERT INTO request_buckets (minute, provider, tenant, connection_id, ok, failed)
     SELECT date_trunc('minute', now()) - (g.n / 100)::int * interval '1 minute', c.provider, c.tenant, c.id, 1, 0
     FROM ${each(Math.ceil(rows / 2), 7)} ON CONFLICT DO NOTHING`,
    `INSERT INTO figures (tenant, slot, provider, ok, events, latency, lag)
     SELECT whose, to_timestamp(floor(extract(epoch FROM minute) / 300) * 300), provider, count(*), count(*), array_fill(count(*)::int, ARRAY[21]), array_fill(count(*)::int, ARRAY[21])
     FROM request_buckets, unnest(ARRAY['', tenant]) whose GROUP BY 1, 2, 3`,
    `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, slot, created_at, started_at, finished_at)
     SELECT ${id()}, c.id, c.tenant, c.provider, CASE WHEN g.n % 700 = 0 THEN 'full' ELSE 'incremental' END, CASE WHEN g.n % 900 = 0 THEN 'manual' ELSE 'schedule' END,
       CASE WHEN g.n % 1000 = 0 THEN 'failed' WHEN g.n % 9000 = 5 THEN 'paused' ELSE 'succeeded' END, 's' || g.n, ${time}, ${time}, ${time} FROM ${each(runs, 30)}`,
    `INSERT INTO destinations (id, tenant, name, url, events, status, created_at, updated_at)
     SELECT gen_random_uuid(), 't' || n, 'D' || n, 'https://x.example/' || n, '{records.changed}', 'active', now(), now() FROM generate_series(0, ${tenants - 1}) n`,
    `INSERT INTO outbox (id, tenant, type, connection_id, body, created_at)
     SELECT ${id()}, c.tenant, CASE WHEN g.n % 3 = 0 THEN 'records.changed' ELSE 'webhook.received' END, c.id, '{"a":1}', ${time} FROM ${each(Math.ceil(rows / 2), 30)}`,
    `INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, attempts, give_up_at, created_at, delivered_at, next_attempt_at)
     SELECT gen_random_uuid(), o.id, d.id, o.tenant, o.type, CASE WHEN hashtext(o.id::text) % 500 = 0 THEN 'dead' ELSE 'delivered' END, 1,
       o.created_at + interval '1 day', o.created_at, o.created_at, o.created_at FROM outbox o JOIN destinations d ON d.tenant = o.tenant`,
    `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome)
     SELECT ${id()}, ${time}, 't' || g.n % ${tenants}, 't' || g.n % ${tenants}, 'u' || g.n % 20000, 'user', (ARRAY['connection.connect', 'proxy.call', 'operation.run'])[1 + g.n % 3],
       'connection:' || g.n % ${connections}, 'ok' FROM ${spread(Math.ceil(rows / 2), 60)}`,
    `INSERT INTO actions (id, tenant, user_id, idempotency_key, route, request_hash, connection_id, operation_id, status, lease_until, created_at, expires_at)
     SELECT ${id()}, c.tenant, 'u1', 'k' || g.n, 'r', 'h', c.id, gen_random_uuid(), 'succeeded', now(), ${time}, ${time} + interval '1 day' FROM ${each(Math.ceil(rows / 10), 1)}`,
    `INSERT INTO alerts (id, kind, key, severity, provider, tenant, state, title, detail, next_step, opened_at, last_seen_at, resolved_at)
     SELECT ${id()}, (ARRAY['connection_lost', 'sync_failing'])[1 + g.n % 2], 'k' || g.n, 'warning', 'slack', 't' || g.n % ${tenants}, CASE WHEN g.n % 200 = 0 THEN 'open' ELSE 'resolved' END,
       't', 'd', 'n', ${time}, ${time}, CASE WHEN g.n % 200 = 0 THEN NULL ELSE ${time} END FROM ${spread(Math.ceil(rows / 4), 30)}`,
    `DROP TABLE filled`,
    `VACUUM ANALYZE`,
  ];
}

/** Fills it, with the partitions that it would have been given over that time. */
export async function fill(db: SqlRunner, filling: Filling): Promise<void> {
  const weekMs = 7 * DAY_MS;
  const monday = Math.floor((Date.now() - 4 * DAY_MS) / weekMs) * weekMs + 4 * DAY_MS;
  for (const table of ['webhook_payloads', 'request_log'])
    for (let week = -5; week < 0; week++)
      await db.query('SELECT make_time_partition($1, $2, $3)', [table, monday + week * weekMs, monday + (week + 1) * weekMs]);
  await db.query("SELECT make_audit_month(now() - n * interval '1 month') FROM generate_series(0, 2) n");
  for (const statement of fillStatements(filling)) await db.query(statement);
}
