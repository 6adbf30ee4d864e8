import type { QueryRunner } from 'typeorm';

/** Whose rights a statement has that is run for a caller (`asTenant`): it owns nothing, and the policies below are held against it. */
export const CALLER_ROLE = 'trestle_caller';

/** In a policy: the organization for which the transaction in hand reads. Without one it is null, and nothing is equal to null. */
const TENANT = `nullif(current_setting('trestle.tenant', true), '')`;

/** How a row is known to be an organization's: by its own column, or by the row that it hangs on. */
export type TenantOf = { readonly column: string } | { readonly column: string; readonly references: string };

/**
 * For a migration: from now on a caller's statement finds only rows of its own organization in the table, whatever it forgets.
 * Workers and cron, which work for everybody, run as the owner. @param readable a caller's statements may read the table at all
 */
export async function lockTenantRows(
  runner: Pick<QueryRunner, 'query'>,
  table: string,
  { of, readable }: { of: TenantOf; readable: boolean },
): Promise<void> {
  await runner.query(MAKE_ROLE);
  const own =
    'references' in of
      ? `EXISTS (SELECT 1 FROM ${of.references} o WHERE o.id = ${table}.${of.column})`
      : `${table}.${of.column} = ${TENANT}`;
  await runner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
  await runner.query(`CREATE POLICY own_rows ON ${table} TO ${CALLER_ROLE} USING (${own}) WITH CHECK (${own})`);
  if (readable) await runner.query(`GRANT SELECT ON ${table} TO ${CALLER_ROLE}`);
}

export async function unlockTenantRows(runner: Pick<QueryRunner, 'query'>, table: string): Promise<void> {
  await runner.query(`REVOKE ALL ON ${table} FROM ${CALLER_ROLE}`);
  await runner.query(`DROP POLICY IF EXISTS own_rows ON ${table}`);
  await runner.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
}

/** Roles belong to the whole server: another database of it may have made this one, even in this very moment. */
const MAKE_ROLE = `DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${CALLER_ROLE}') THEN
    BEGIN
      CREATE ROLE ${CALLER_ROLE} NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'The role % may not create roles. Let an administrator of the server run: CREATE ROLE ${CALLER_ROLE} NOLOGIN; GRANT ${CALLER_ROLE} TO %; and start again.', current_user, current_user;
    END;
  END IF;
  IF NOT pg_has_role(current_user, '${CALLER_ROLE}', 'USAGE') THEN GRANT ${CALLER_ROLE} TO CURRENT_USER; END IF;
  GRANT USAGE ON SCHEMA public TO ${CALLER_ROLE};
END $$`;
