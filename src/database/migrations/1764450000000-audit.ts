import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who did what. Partitioned by month, so that what is over is dropped and never deleted; what is written is never changed. */
export class Audit1764450000000 implements MigrationInterface {
  name = 'Audit1764450000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit_entries');
    await runner.query('DROP FUNCTION make_audit_month');
    await runner.query('DROP FUNCTION refuse_audit_change');
  }
}

const STATEMENTS = [
  `CREATE TABLE audit_entries (
    id uuid NOT NULL, at timestamptz NOT NULL, tenant text NOT NULL,
    actor_tenant text NOT NULL, actor_user text NOT NULL, actor_role text NOT NULL, actor_agent text,
    action text NOT NULL, target text NOT NULL, outcome text NOT NULL, request_id text, ip text,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at)`,
  `CREATE INDEX audit_entries_by_tenant ON audit_entries (tenant, id DESC)`,
  `CREATE INDEX audit_entries_by_actor ON audit_entries (actor_user, id DESC)`,
  `CREATE INDEX audit_entries_by_target ON audit_entries (target, id DESC)`,
  // Takes what no month was made for: an entry is never lost for want of a partition.
  `CREATE TABLE audit_entries_rest PARTITION OF audit_entries DEFAULT`,
  `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN RAISE EXCEPTION 'entries of the audit are never changed'; END $$`,
  `CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
  // Two processes may want the same month at once: they take turns, and the second finds it made.
  `CREATE FUNCTION make_audit_month(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
   DECLARE first date := date_trunc('month', at AT TIME ZONE 'UTC')::date;
           name text := 'audit_entries_' || to_char(first, 'YYYY_MM');
   BEGIN
     PERFORM pg_advisory_xact_lock(hashtext('audit_entries'));
     IF to_regclass(name) IS NULL AND NOT EXISTS (
       SELECT 1 FROM audit_entries_rest r WHERE r.at >= first AND r.at < first + interval '1 month') THEN
       EXECUTE format('CREATE TABLE %I PARTITION OF audit_entries FOR VALUES FROM (%L) TO (%L)',
         name, first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
     END IF;
   END $$`,
];
