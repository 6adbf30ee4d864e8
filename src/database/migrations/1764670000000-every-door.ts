import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CALLER_ROLE, lockTenantRows, openToService, WORKER_ROLE, type TenantOf } from '../tenant-rows';

const BY_TENANT: TenantOf = { column: 'tenant' };
const BY_CONNECTION: TenantOf = { column: 'connection_id', references: 'connections' };

/** What a caller's statements read and change, each organization its own. */
const CALLERS: Readonly<Record<string, TenantOf>> = {
  connections: BY_TENANT,
  connect_sessions: BY_TENANT,
  oauth_states: BY_TENANT,
  browser_sessions: BY_TENANT,
  sync_runs: BY_TENANT,
  webhook_events: BY_TENANT,
  webhook_replays: BY_TENANT,
  actions: BY_TENANT,
  request_log: BY_TENANT,
  request_buckets: BY_TENANT,
  alerts: BY_TENANT,
  destinations: BY_TENANT,
  deliveries: BY_TENANT,
  outbox: BY_TENANT,
  record_change_batches: BY_TENANT,
  records: BY_CONNECTION,
  record_sequences: BY_CONNECTION,
  object_marks: BY_CONNECTION,
  sync_schedules: BY_CONNECTION,
  sync_cursors: BY_CONNECTION,
  sync_seen: BY_CONNECTION,
  sync_watches: BY_CONNECTION,
};

/** What a caller's statements may do with some of it only, or not at all. */
const IN_PART: Readonly<Record<string, TenantOf>> = {
  audit_entries: BY_TENANT,
  destination_secrets: BY_TENANT,
  tokens: BY_CONNECTION,
  token_refreshes: { column: 'token_id', references: 'tokens' },
};

/** Nobody's, or several organizations' at once: for the service alone. */
const SERVICE = ['grants', 'encryption_keys', 'webhook_refusals'];

/**
 * The payloads of a delivery serve all its events, whose ids begin as its own does: so they are found without an index for it.
 * https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
const OF_OWN_EVENT = `EXISTS (SELECT 1 FROM webhook_events e WHERE e.payload_id = webhook_payloads.id
  AND e.id BETWEEN (substr(webhook_payloads.id::text, 1, 15) || '000-0000-000000000000')::uuid AND (substr(webhook_payloads.id::text, 1, 15) || 'fff-ffff-ffffffffffff')::uuid)`;

/** The lock on tenants' rows at every door of a caller, for what it changes as well; and a role under which the service runs without owning anything. */
export class EveryDoor1764670000000 implements MigrationInterface {
  name = 'EveryDoor1764670000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, of] of Object.entries(CALLERS)) await lockTenantRows(runner, table, { of, readable: true });
    for (const [table, of] of Object.entries(IN_PART)) await lockTenantRows(runner, table, { of, readable: false });
    for (const table of SERVICE) await openToService(runner, table);
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of BACK) await runner.query(statement);
    for (const table of ['webhook_payloads', ...SERVICE, ...Object.keys({ ...CALLERS, ...IN_PART })])
      await runner.query(`REVOKE ALL ON ${table} FROM ${WORKER_ROLE}`);
    for (const table of Object.keys({ ...CALLERS, ...IN_PART })) {
      await runner.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
      await runner.query(`DROP POLICY every_row ON ${table}`);
      await runner.query(`REVOKE INSERT, UPDATE, DELETE ON ${table} FROM ${CALLER_ROLE}`);
    }
    for (const table of HIDDEN_BEFORE) await runner.query(`REVOKE ALL ON ${table} FROM ${CALLER_ROLE}`);
  }
}

const HIDDEN_BEFORE = [
  'connect_sessions',
  'oauth_states',
  'browser_sessions',
  'destination_secrets',
  'record_change_batches',
  'object_marks',
  'sync_seen',
  'sync_watches',
];

const STATEMENTS = [
  `REVOKE ALL ON audit_entries FROM ${CALLER_ROLE}`,
  `GRANT SELECT, INSERT, UPDATE (outcome) ON audit_entries TO ${CALLER_ROLE}`,
  // All but the secret itself, which only who signs reads.
  `GRANT SELECT (id, destination_id, tenant, created_at, expires_at), INSERT, UPDATE (expires_at), DELETE ON destination_secrets TO ${CALLER_ROLE}`,
  `ALTER TABLE webhook_payloads FORCE ROW LEVEL SECURITY`,
  `GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_payloads TO ${WORKER_ROLE}`,
  `CREATE POLICY every_row ON webhook_payloads TO ${WORKER_ROLE} USING (true) WITH CHECK (true)`,
  `GRANT SELECT, UPDATE (id) ON webhook_payloads TO ${CALLER_ROLE}`,
  `CREATE POLICY own_rows ON webhook_payloads FOR SELECT TO ${CALLER_ROLE} USING (${OF_OWN_EVENT})`,
  // Held while a replay is committed, and never changed.
  `CREATE POLICY held_rows ON webhook_payloads FOR UPDATE TO ${CALLER_ROLE} USING (${OF_OWN_EVENT}) WITH CHECK (false)`,
  `GRANT SELECT ON migrations TO ${WORKER_ROLE}`,
  // Months are made and dropped by whoever owns the audit, for a service that does not. No entry of before its time is dropped, whoever asks.
  `ALTER FUNCTION make_audit_month(timestamptz) SECURITY DEFINER SET search_path = public, pg_temp`,
  `REVOKE EXECUTE ON FUNCTION make_audit_month(timestamptz) FROM PUBLIC`,
  `GRANT EXECUTE ON FUNCTION make_audit_month(timestamptz) TO ${WORKER_ROLE}`,
  `CREATE FUNCTION drop_audit_months() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
   DECLARE month text;
   BEGIN
     PERFORM pg_advisory_xact_lock(hashtext('audit_entries'));
     FOR month IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'audit_entries'::regclass AND c.relname ~ '^audit_entries_\\d{4}_\\d{2}$'
         AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - interval '400 days'
     LOOP
       EXECUTE format('DROP TABLE %I', month);
       RETURN NEXT month;
     END LOOP;
   END $$`,
  `REVOKE EXECUTE ON FUNCTION drop_audit_months() FROM PUBLIC`,
  `GRANT EXECUTE ON FUNCTION drop_audit_months() TO ${WORKER_ROLE}`,
];

const BACK = [
  `DROP FUNCTION drop_audit_months()`,
  `ALTER FUNCTION make_audit_month(timestamptz) SECURITY INVOKER RESET search_path`,
  `GRANT EXECUTE ON FUNCTION make_audit_month(timestamptz) TO PUBLIC`,
  `REVOKE SELECT ON migrations FROM ${WORKER_ROLE}`,
  `DROP POLICY held_rows ON webhook_payloads`,
  `DROP POLICY own_rows ON webhook_payloads`,
  `DROP POLICY every_row ON webhook_payloads`,
  `REVOKE ALL ON webhook_payloads FROM ${CALLER_ROLE}`,
  `ALTER TABLE webhook_payloads NO FORCE ROW LEVEL SECURITY`,
];
