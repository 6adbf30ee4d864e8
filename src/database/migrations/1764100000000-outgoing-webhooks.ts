import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks to the product: where to, what is to be told, what became of it. */
export class OutgoingWebhooks1764100000000 implements MigrationInterface {
  name = 'OutgoingWebhooks1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['outgoing_changes', 'outgoing_deliveries', 'outgoing_messages', 'outgoing_secrets', 'outgoing_destinations']) {
      await runner.query(`DROP TABLE IF EXISTS ${table}`);
    }
  }
}

const STATEMENTS = [
  // status: active | paused. paused_reason: asked | failing | gone. failures: in a row, since failing_since; nothing is sent before retry_at.
  `CREATE TABLE outgoing_destinations (
    id uuid PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, url text NOT NULL, events text[] NOT NULL, webhook_types text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active', paused_reason text, paused_at timestamptz, resumed_at timestamptz,
    failures integer NOT NULL DEFAULT 0, failing_since timestamptz, retry_at timestamptz, last_error text,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
  `CREATE INDEX outgoing_destinations_by_tenant ON outgoing_destinations (tenant, id)`,
  `CREATE INDEX outgoing_destinations_dead ON outgoing_destinations (id) WHERE status = 'paused' AND paused_reason IN ('failing', 'gone')`,
  // Encrypted. Several sign at once during a roll; expires_at: replaced, and good until then.
  `CREATE TABLE outgoing_secrets (
    id uuid PRIMARY KEY, destination_id uuid NOT NULL REFERENCES outgoing_destinations ON DELETE CASCADE, tenant text NOT NULL,
    secret text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz)`,
  `CREATE INDEX outgoing_secrets_by_destination ON outgoing_secrets (destination_id)`,
  `CREATE INDEX outgoing_secrets_expiry ON outgoing_secrets (expires_at)`,
  // Written with the fact that it tells of, in the same transaction.
  `CREATE TABLE outgoing_messages (
    id uuid PRIMARY KEY, tenant text NOT NULL, type text NOT NULL, connection_id uuid, body text NOT NULL, created_at timestamptz NOT NULL)`,
  `CREATE INDEX outgoing_messages_age ON outgoing_messages (created_at)`,
  // status: pending | sending | delivered | dead. A destination that was removed leaves its deliveries as a log. once: a test, which is not repeated.
  `CREATE TABLE outgoing_deliveries (
    id uuid PRIMARY KEY, message_id uuid NOT NULL REFERENCES outgoing_messages ON DELETE CASCADE, destination_id uuid NOT NULL, tenant text NOT NULL, type text NOT NULL,
    status text NOT NULL DEFAULT 'pending', attempts integer NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(), give_up_at timestamptz NOT NULL,
    once boolean NOT NULL DEFAULT false, lease_owner uuid, lease_until timestamptz,
    response_status integer, error_code text, log jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL, delivered_at timestamptz)`,
  `CREATE INDEX outgoing_deliveries_due ON outgoing_deliveries (destination_id, next_attempt_at, id) WHERE status = 'pending'`,
  `CREATE INDEX outgoing_deliveries_leased ON outgoing_deliveries (lease_until) WHERE status = 'sending'`,
  `CREATE INDEX outgoing_deliveries_by_message ON outgoing_deliveries (message_id)`,
  `CREATE INDEX outgoing_deliveries_list ON outgoing_deliveries (tenant, created_at DESC, id DESC)`,
  `CREATE INDEX outgoing_deliveries_by_destination ON outgoing_deliveries (destination_id, created_at DESC, id DESC)`,
  // Changed records, gathered for a moment: one message for each connection and resource. cursor: of the feed, from before the first of them.
  `CREATE TABLE outgoing_changes (
    connection_id uuid NOT NULL, resource text NOT NULL, tenant text NOT NULL, provider text NOT NULL, cursor text NOT NULL,
    created integer NOT NULL, updated integer NOT NULL, deleted integer NOT NULL, at timestamptz NOT NULL, flush_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, resource))`,
  `CREATE INDEX outgoing_changes_due ON outgoing_changes (flush_at)`,
];
