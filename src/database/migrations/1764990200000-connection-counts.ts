import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockTenantRows, WORKER_ROLE } from '../tenant-rows';

/**
 * How many connections there are by organization, provider and status, and of all under the tenant '': counting a million of them takes
 * longer than a page may. A change adds rows and locks none, so nobody waits for another, and no two for each other; the service sums them
 * up (`ConnectionCountCompactor`). Triggers write them with the fact, whoever changes it. `recount_connections()` counts anew.
 */
export class ConnectionCounts1764990200000 implements MigrationInterface {
  name = 'ConnectionCounts1764990200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE connection_counts (
         tenant text NOT NULL, provider text NOT NULL, status text NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(),
         change integer NOT NULL, fresh boolean NOT NULL DEFAULT true, PRIMARY KEY (tenant, provider, status, id))`,
    );
    await runner.query('CREATE INDEX connection_counts_fresh ON connection_counts (tenant, provider, status) WHERE fresh');
    await lockTenantRows(runner, 'connection_counts', { of: { column: 'tenant' }, readable: true });
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query('SELECT recount_connections()');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['connections_counted', 'connections_recounted', 'connections_emptied'])
      await runner.query(`DROP TRIGGER ${name} ON connections`);
    await runner.query('DROP FUNCTION count_connection');
    await runner.query('DROP FUNCTION recount_connections');
    await runner.query('DROP TABLE connection_counts');
  }
}

const STATEMENTS = [
  // As the owner: a caller's statement changes a connection of its own organization, and with it the sums of all.
  `CREATE FUNCTION count_connection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
   BEGIN
     IF TG_OP = 'TRUNCATE' THEN DELETE FROM connection_counts; RETURN NULL; END IF;
     IF TG_OP <> 'INSERT' THEN
       INSERT INTO connection_counts (tenant, provider, status, change) VALUES ('', OLD.provider, OLD.status, -1), (OLD.tenant, OLD.provider, OLD.status, -1);
     END IF;
     IF TG_OP <> 'DELETE' THEN
       INSERT INTO connection_counts (tenant, provider, status, change) VALUES ('', NEW.provider, NEW.status, 1), (NEW.tenant, NEW.provider, NEW.status, 1);
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER connections_counted AFTER INSERT OR DELETE ON connections FOR EACH ROW EXECUTE FUNCTION count_connection()`,
  `CREATE TRIGGER connections_recounted AFTER UPDATE OF tenant, provider, status ON connections FOR EACH ROW
   WHEN ((OLD.tenant, OLD.provider, OLD.status) IS DISTINCT FROM (NEW.tenant, NEW.provider, NEW.status)) EXECUTE FUNCTION count_connection()`,
  `CREATE TRIGGER connections_emptied AFTER TRUNCATE ON connections EXECUTE FUNCTION count_connection()`,
  // Nobody changes a connection, and nobody sums up, until it is committed.
  `CREATE FUNCTION recount_connections() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
   BEGIN
     LOCK TABLE connections IN SHARE MODE;
     LOCK TABLE connection_counts IN SHARE ROW EXCLUSIVE MODE;
     DELETE FROM connection_counts;
     INSERT INTO connection_counts (tenant, provider, status, change, fresh)
     SELECT whose, provider, status, count(*), false FROM connections, unnest(ARRAY['', tenant]) AS whose GROUP BY 1, 2, 3;
   END $$`,
  'REVOKE EXECUTE ON FUNCTION recount_connections() FROM PUBLIC',
  `GRANT EXECUTE ON FUNCTION recount_connections() TO ${WORKER_ROLE}`,
];
