import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What no transaction holds is written before it is done, with the outcome `started`; what came of it is set once, and nothing else ever. */
export class AuditOutcome1764660000000 implements MigrationInterface {
  name = 'AuditOutcome1764660000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF TG_OP = 'UPDATE' AND OLD.outcome = 'started' AND to_jsonb(NEW) - 'outcome' = to_jsonb(OLD) - 'outcome' THEN RETURN NEW; END IF;
         RAISE EXCEPTION 'entries of the audit are never changed';
       END $$`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'entries of the audit are never changed'; END $$`,
    );
  }
}
