import type { DataSource } from 'typeorm';

/** A sentence where the service runs as a role that Postgres holds no policy against; undefined where it does not. */
export async function boundlessRole(dataSource: DataSource): Promise<string | undefined> {
  const [role] = await dataSource.query<{ name: string; superuser: boolean; bypasses: boolean }[]>(
    'SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS bypasses FROM pg_roles WHERE rolname = current_user',
  );
  if (!role?.superuser && !role?.bypasses) return undefined;
  const why = role.superuser ? 'is a superuser' : 'has BYPASSRLS';
  return `The role "${role.name}" of DATABASE_URL ${why}: what the service does by itself is held to nothing in the database. Let it run as a role that has trestle_worker and trestle_caller alone, and migrate as another (MIGRATION_DATABASE_URL; docs/operations.md).`;
}
