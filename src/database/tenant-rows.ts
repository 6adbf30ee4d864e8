import type { QueryRunner } from 'typeorm';

/** Whose rights a statement has that is run for a caller: it owns nothing, and shows one organization's rows. */
export const CALLER_ROLE = 'trestle_caller';

/** Whose rights the service has for work of its own, which is for everybody: all rows, and no right to change the schema. */
export const WORKER_ROLE = 'trestle_worker';

/** In a policy: the organization for which the transaction in hand works. Without one it is null, and nothing is equal to null. */
const TENANT = `nullif(current_setting('trestle.tenant', true), '')`;

/** How a row is known to be an organization's: by its own column, or by the row that it hangs on. */
export type TenantOf = { readonly column: string } | { readonly column: string; readonly references: string };

/**
 * For a migration: from now on a caller's statement finds, makes and changes only rows of its own organization in the table, whatever it
 * forgets. May be asked for again. @param readable a caller's statements may use the table at all
 */
export async function lockTenantRows(
  runner: Pick<QueryRunner, 'query'>,
  table: string,
  { of, readable }: { of: TenantOf; readable: boolean },
): Promise<void> {
  const own =
    'references' in of
      ? `EXISTS (SELECT 1 FROM ${of.references} o WHERE o.id = ${table}.${of.column})`
      : `${table}.${of.column} = ${TENANT}`;
  await openToService(runner, table);
  await runner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
  await runner.query(`DROP POLICY IF EXISTS own_rows ON ${table}`);
  await runner.query(`CREATE POLICY own_rows ON ${table} TO ${CALLER_ROLE} USING (${own}) WITH CHECK (${own})`);
  await runner.query(`DROP POLICY IF EXISTS every_row ON ${table}`);
  await runner.query(`CREATE POLICY every_row ON ${table} TO ${WORKER_ROLE} USING (true) WITH CHECK (true)`);
  if (readable) await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${CALLER_ROLE}`);
}

/** For a migration: a table in which nothing is an organization's. The service uses it, a caller's statements do not. */
export async function openToService(runner: Pick<QueryRunner, 'query'>, table: string): Promise<void> {
  await runner.query(MAKE_ROLES);
  await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${WORKER_ROLE}`);
}

export async function unlockTenantRows(runner: Pick<QueryRunner, 'query'>, table: string): Promise<void> {
  await runner.query(`REVOKE ALL ON ${table} FROM ${CALLER_ROLE}, ${WORKER_ROLE}`);
  await runner.query(`DROP POLICY IF EXISTS own_rows ON ${table}`);
  await runner.query(`DROP POLICY IF EXISTS every_row ON ${table}`);
  await runner.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY`);
}

/**
 * Roles belong to the whole server: another database of it may have made these, even in this very moment. The owner of the tables holds
 * both: the policies bind it as well, and it may take the caller's role for a transaction.
 */
const MAKE_ROLES = `DO $$ DECLARE needed text; BEGIN
  FOREACH needed IN ARRAY ARRAY['${CALLER_ROLE}', '${WORKER_ROLE}'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = needed) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', needed);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE EXCEPTION 'The role % may not create roles. Let an administrator of the server run: CREATE ROLE % NOLOGIN; GRANT % TO %; and start again.', current_user, needed, needed, current_user;
      END;
    END IF;
    IF NOT pg_has_role(current_user, needed, 'USAGE') THEN EXECUTE format('GRANT %I TO CURRENT_USER', needed); END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', needed);
  END LOOP;
END $$`;
