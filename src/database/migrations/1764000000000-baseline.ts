import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The whole schema, one table a statement. Secrets are stored encrypted (text `v1:<keyId>:<base64>`) or hashed, never plain. */
export class Baseline1764000000000 implements MigrationInterface {
  name = 'Baseline1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...CONNECTIONS, ...WEBHOOKS, ...SYNC, ...OPERATIONS, ...MONITORING, ...NOTIFICATIONS])
      await runner.query(statement);
  }

  async down(): Promise<void> {
    return Promise.reject(new Error('There is nothing before the first schema: drop the database instead.'));
  }
}

const CONNECTIONS = [
  // status: connected | needs_reauth | disconnected
  `CREATE TABLE connections (
    id uuid PRIMARY KEY, tenant text NOT NULL, user_id text NOT NULL, provider text NOT NULL,
    account_id text NOT NULL, account_name text NOT NULL, routing_key text NOT NULL,
    auth_type text NOT NULL, status text NOT NULL, scopes text[] NOT NULL DEFAULT '{}', metadata jsonb NOT NULL DEFAULT '{}',
    error_code text, error_provider_code text, error_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    connected_at timestamptz NOT NULL DEFAULT now(), disconnected_at timestamptz,
    UNIQUE (tenant, user_id, provider, account_id))`,
  `CREATE INDEX connections_lost ON connections (id) WHERE status = 'needs_reauth'`,
  `CREATE INDEX connections_routing ON connections (provider, routing_key) WHERE status <> 'disconnected'`,
  // One row per access token; version guards against a late writer.
  `CREATE TABLE tokens (
    id uuid PRIMARY KEY, connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, kind text NOT NULL,
    access_token text NOT NULL, refresh_token text, key_id text NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}', expires_at timestamptz, version integer NOT NULL DEFAULT 1,
    obtained_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, kind))`,
  `CREATE INDEX tokens_key ON tokens (key_id)`,
  // Written before a refresh is sent, removed with its commit: what is left over was interrupted.
  `CREATE TABLE token_refreshes (
    token_id uuid PRIMARY KEY REFERENCES tokens ON DELETE CASCADE, version integer NOT NULL, started_at timestamptz NOT NULL DEFAULT now())`,
  // check_value lets a start notice a wrong key; the key itself is never here.
  `CREATE TABLE encryption_keys (key_id text PRIMARY KEY, check_value text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())`,
  `CREATE TABLE connect_sessions (
    token_hash text PRIMARY KEY, tenant text NOT NULL, user_id text NOT NULL, provider text NOT NULL, return_to text,
    connection_id uuid, scopes text[], expires_at timestamptz NOT NULL)`,
  `CREATE TABLE oauth_states (
    state_hash text PRIMARY KEY, browser_hash text NOT NULL, tenant text NOT NULL, user_id text NOT NULL, provider text NOT NULL,
    code_verifier text, return_to text, connection_id uuid, scopes text[], expires_at timestamptz NOT NULL)`,
  `CREATE TABLE used_tokens (token_hash text PRIMARY KEY, expires_at timestamptz NOT NULL)`,
  `CREATE TABLE browser_sessions (
    id_hash text PRIMARY KEY, tenant text NOT NULL, user_id text NOT NULL, role text NOT NULL, csrf_hash text NOT NULL, expires_at timestamptz NOT NULL)`,
];

const WEBHOOKS = [
  // status: received | processing | completed | failed | dead. One row per event and connection; connection_id is null for an account nobody connected.
  `CREATE TABLE webhook_events (
    id uuid PRIMARY KEY, provider text NOT NULL, event_id text NOT NULL, type text NOT NULL, routing_key text,
    connection_id uuid, tenant text, object_key text, object_version numeric, headers jsonb NOT NULL DEFAULT '{}', body bytea,
    status text NOT NULL DEFAULT 'received', attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz, lease_owner uuid, received_at timestamptz NOT NULL DEFAULT now(), processed_at timestamptz, last_error text, error_code text)`,
  // The same event for the same connection is one row, however often it comes. Every index is paid for three times an event, so there are few:
  // the ids are in the order of time, which serves lists and retention.
  `CREATE UNIQUE INDEX webhook_events_once ON webhook_events (provider, event_id, (coalesce(connection_id, '00000000-0000-0000-0000-000000000000'::uuid)))`,
  `CREATE INDEX webhook_events_due_by_tenant ON webhook_events ((coalesce(tenant, '')), next_attempt_at, id) WHERE status IN ('received', 'failed')`,
  `CREATE INDEX webhook_events_leased ON webhook_events (lease_until) WHERE status = 'processing'`,
  `CREATE INDEX webhook_events_dead ON webhook_events (received_at DESC) WHERE status = 'dead'`,
  // What was last applied to an object, so that a late event never takes it back. before_*: where the mark stood, so that one statement can move it and tell.
  `CREATE TABLE object_marks (connection_id uuid NOT NULL, object_key text NOT NULL, version numeric NOT NULL, event_id text NOT NULL,
    before_version numeric, before_event_id text, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (connection_id, object_key))`,
  // Refused deliveries, counted by cause and minute: nothing of what a stranger sent is stored.
  `CREATE TABLE webhook_refusals (provider text NOT NULL, cause text NOT NULL, minute timestamptz NOT NULL, count integer NOT NULL, PRIMARY KEY (provider, cause, minute))`,
  `CREATE TABLE webhook_replays (id uuid PRIMARY KEY, tenant text, actor text NOT NULL, filter jsonb NOT NULL, matched integer NOT NULL, at timestamptz NOT NULL DEFAULT now())`,
];

const SYNC = [
  `CREATE TABLE sync_schedules (
    connection_id uuid PRIMARY KEY REFERENCES connections ON DELETE CASCADE, next_incremental_at timestamptz NOT NULL, next_full_at timestamptz NOT NULL,
    next_due_at timestamptz NOT NULL, incremental_seconds integer, full_seconds integer, failures integer NOT NULL DEFAULT 0, enabled boolean NOT NULL DEFAULT true)`,
  `CREATE INDEX sync_schedules_due ON sync_schedules (next_due_at) WHERE enabled`,
  // status: queued | running | succeeded | failed | cancelled | paused (waits for a confirmation). priority: lower first.
  `CREATE TABLE sync_runs (
    id uuid PRIMARY KEY, connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, tenant text NOT NULL, provider text NOT NULL,
    type text NOT NULL, trigger text NOT NULL, status text NOT NULL, resources text[] NOT NULL DEFAULT '{}', slot text, priority integer NOT NULL DEFAULT 5,
    attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(), lease_until timestamptz, fence integer NOT NULL DEFAULT 0,
    fetched integer NOT NULL DEFAULT 0, created integer NOT NULL DEFAULT 0, updated integer NOT NULL DEFAULT 0, unchanged integer NOT NULL DEFAULT 0, deleted integer NOT NULL DEFAULT 0,
    total integer, progress jsonb NOT NULL DEFAULT '{}', rerun boolean NOT NULL DEFAULT false, rerun_type text, rerun_resources text[],
    confirmed boolean NOT NULL DEFAULT false,
    error_code text, error_message text, created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, finished_at timestamptz)`,
  `CREATE UNIQUE INDEX sync_runs_slot ON sync_runs (connection_id, slot) WHERE slot IS NOT NULL`,
  `CREATE UNIQUE INDEX sync_runs_one_active ON sync_runs (connection_id) WHERE status IN ('queued', 'running')`,
  `CREATE INDEX sync_runs_due ON sync_runs (priority, next_attempt_at) WHERE status = 'queued'`,
  `CREATE INDEX sync_runs_leased ON sync_runs (lease_until) WHERE status = 'running'`,
  `CREATE INDEX sync_runs_by_connection ON sync_runs (connection_id, created_at DESC)`,
  `CREATE INDEX sync_runs_list ON sync_runs (created_at DESC, id DESC)`,
  // cursor: where the next incremental run starts. The rest is the walk of the last run through this partition: mode full | incremental, state walking |
  // done | blocked (a sweep that waits for a confirmation); checkpoint: where to go on; floor_change: the last change before a full walk began.
  `CREATE TABLE sync_cursors (
    connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, resource text NOT NULL, partition text NOT NULL DEFAULT '',
    cursor jsonb, run_id uuid, mode text, state text, checkpoint jsonb, pending_cursor jsonb, walk_id uuid, floor_change bigint, updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, resource, partition))`,
  // What a full walk met and left as it was: with it the sweep knows what is gone, and an unchanged record is not written. Logged: a resumed walk relies on it.
  `CREATE TABLE sync_seen (walk_id uuid NOT NULL, connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, ids text[] NOT NULL, at timestamptz NOT NULL DEFAULT now())`,
  `CREATE INDEX sync_seen_walk ON sync_seen (walk_id)`,
  `CREATE INDEX sync_seen_by_connection ON sync_seen (connection_id)`,
  // The change number is drawn under this row's lock, so numbers become visible in their order.
  `CREATE TABLE record_sequences (connection_id uuid PRIMARY KEY REFERENCES connections ON DELETE CASCADE, last_change bigint NOT NULL DEFAULT 0, compacted_to bigint NOT NULL DEFAULT 0)`,
  // Written and looked up in bulk. Keys are compared byte by byte, whatever the database's language. Whoever writes a record holds its connection's row in
  // record_sequences, so that row is what records hang on: a foreign key to connections would look it up, and lock it, for each record anew.
  `CREATE TABLE records (
    connection_id uuid NOT NULL, resource text COLLATE "C" NOT NULL, partition text COLLATE "C" NOT NULL DEFAULT '', external_id text COLLATE "C" NOT NULL,
    data jsonb, hash bytea, version numeric, deleted boolean NOT NULL DEFAULT false,
    change_no bigint NOT NULL, changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, resource, partition, external_id))`,
  `CREATE FUNCTION forget_records() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN DELETE FROM records WHERE connection_id = OLD.connection_id; RETURN NULL; END $$`,
  `CREATE TRIGGER record_sequences_forget AFTER DELETE ON record_sequences FOR EACH ROW EXECUTE FUNCTION forget_records()`,
  // The condition is one that only the feed's readers state: a look-up by key can never be planned through this index, which without statistics it was,
  // and then read the whole resource for each record.
  `CREATE UNIQUE INDEX records_feed ON records (connection_id, resource, change_no) WHERE change_no > 0`,
  `CREATE INDEX records_tombstones ON records (changed_at) WHERE deleted`,
  `CREATE TABLE sync_watches (
    channel_id uuid PRIMARY KEY, connection_id uuid NOT NULL REFERENCES connections ON DELETE CASCADE, resource text NOT NULL, partition text NOT NULL DEFAULT '',
    remote_id text NOT NULL DEFAULT '', token_hash text NOT NULL, status text NOT NULL, expires_at timestamptz, last_message bigint NOT NULL DEFAULT 0,
    lease_until timestamptz, created_at timestamptz NOT NULL DEFAULT now())`,
  `CREATE INDEX sync_watches_expiry ON sync_watches (expires_at) WHERE status = 'active'`,
  `CREATE INDEX sync_watches_by_connection ON sync_watches (connection_id, resource, partition)`,
];

const OPERATIONS = [
  // status: running | done | unknown. response is encrypted: it may hold a client secret.
  `CREATE TABLE actions (
    id uuid PRIMARY KEY, tenant text NOT NULL, user_id text NOT NULL, idempotency_key text, route text NOT NULL, request_hash text NOT NULL, connection_id uuid,
    operation_id uuid NOT NULL, status text NOT NULL, response_status integer, response text, error_code text,
    lease_until timestamptz NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, expires_at timestamptz NOT NULL)`,
  `CREATE UNIQUE INDEX actions_key ON actions (tenant, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL`,
  `CREATE INDEX actions_expiry ON actions (expires_at)`,
  `CREATE INDEX actions_open ON actions (lease_until) WHERE status IN ('running', 'unknown')`,
];

const MONITORING = [
  // Every outbound try, bounded by age. Never a token, a body or a query string.
  `CREATE TABLE request_log (
    id uuid PRIMARY KEY, at timestamptz NOT NULL, provider text NOT NULL, tenant text, connection_id uuid, method text NOT NULL, endpoint text NOT NULL,
    status integer, outcome text NOT NULL, error_code text, attempt integer NOT NULL, duration_ms integer NOT NULL, request_id text, operation text)`,
  `CREATE INDEX request_log_list ON request_log (at DESC, id DESC)`,
  `CREATE INDEX request_log_by_connection ON request_log (connection_id, at DESC)`,
  // Minute sums per provider and connection ('' tenant and zero id: no connection), from which health is read.
  `CREATE TABLE request_buckets (
    minute timestamptz NOT NULL, provider text NOT NULL, tenant text NOT NULL DEFAULT '', connection_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ok integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0, server_errors integer NOT NULL DEFAULT 0, duration_ms bigint NOT NULL DEFAULT 0,
    last_ok_at timestamptz, last_failed_at timestamptz,
    PRIMARY KEY (minute, provider, connection_id))`,
  `CREATE INDEX request_buckets_by_provider ON request_buckets (provider, minute)`,
  // state: open | acknowledged | resolved. One open alert per key.
  `CREATE TABLE alerts (
    id uuid PRIMARY KEY, kind text NOT NULL, key text NOT NULL, severity text NOT NULL, provider text, tenant text, connection_id uuid, state text NOT NULL,
    title text NOT NULL, detail text NOT NULL, next_step text NOT NULL, count integer NOT NULL DEFAULT 1, opened_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(), acknowledged_at timestamptz, acknowledged_by text, resolved_at timestamptz,
    notified_at timestamptz, recovery_notified_at timestamptz, notify_attempts integer NOT NULL DEFAULT 0)`,
  `CREATE UNIQUE INDEX alerts_one_open ON alerts (key) WHERE state IN ('open', 'acknowledged')`,
  `CREATE INDEX alerts_list ON alerts (opened_at DESC, id DESC)`,
];

// Webhooks to the product: where to, what is to be told, what became of it.
const NOTIFICATIONS = [
  // status: active | paused. paused_reason: asked | failing | gone. failures: in a row, since failing_since; nothing is sent before retry_at.
  `CREATE TABLE destinations (
    id uuid PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, url text NOT NULL, events text[] NOT NULL, webhook_types text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active', paused_reason text, paused_at timestamptz, resumed_at timestamptz,
    failures integer NOT NULL DEFAULT 0, failing_since timestamptz, retry_at timestamptz, last_error text,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
  `CREATE INDEX destinations_by_tenant ON destinations (tenant, id)`,
  `CREATE INDEX destinations_dead ON destinations (id) WHERE status = 'paused' AND paused_reason IN ('failing', 'gone')`,
  // Encrypted. Several sign at once during a roll; expires_at: replaced, and good until then.
  `CREATE TABLE destination_secrets (
    id uuid PRIMARY KEY, destination_id uuid NOT NULL REFERENCES destinations ON DELETE CASCADE, tenant text NOT NULL,
    secret text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz)`,
  `CREATE INDEX destination_secrets_by_destination ON destination_secrets (destination_id)`,
  `CREATE INDEX destination_secrets_expiry ON destination_secrets (expires_at)`,
  // Written with the fact that it tells of, in the same transaction.
  `CREATE TABLE outbox (
    id uuid PRIMARY KEY, tenant text NOT NULL, type text NOT NULL, connection_id uuid, body text NOT NULL, created_at timestamptz NOT NULL)`,
  `CREATE INDEX outbox_age ON outbox (created_at)`,
  // status: pending | sending | delivered | dead. A destination that was removed leaves its deliveries as a log. once: a test, which is not repeated.
  `CREATE TABLE deliveries (
    id uuid PRIMARY KEY, message_id uuid NOT NULL REFERENCES outbox ON DELETE CASCADE, destination_id uuid NOT NULL, tenant text NOT NULL, type text NOT NULL,
    status text NOT NULL DEFAULT 'pending', attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(), give_up_at timestamptz NOT NULL,
    once boolean NOT NULL DEFAULT false, lease_owner uuid, lease_until timestamptz,
    response_status integer, error_code text, log jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL, delivered_at timestamptz)`,
  `CREATE INDEX deliveries_due ON deliveries (destination_id, next_attempt_at, id) WHERE status = 'pending'`,
  `CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE status = 'sending'`,
  `CREATE INDEX deliveries_by_message ON deliveries (message_id)`,
  `CREATE INDEX deliveries_list ON deliveries (tenant, created_at DESC, id DESC)`,
  `CREATE INDEX deliveries_by_destination ON deliveries (destination_id, created_at DESC, id DESC)`,
  // Changed records, gathered for a moment: one message for each connection and resource. cursor: of the feed, from before the first of them.
  `CREATE TABLE record_change_batches (
    connection_id uuid NOT NULL, resource text NOT NULL, tenant text NOT NULL, provider text NOT NULL, cursor text NOT NULL,
    created integer NOT NULL, updated integer NOT NULL, deleted integer NOT NULL, at timestamptz NOT NULL, flush_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, resource))`,
  `CREATE INDEX record_change_batches_due ON record_change_batches (flush_at)`,
];
