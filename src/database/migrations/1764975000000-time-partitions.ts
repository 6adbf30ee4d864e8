import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CALLER_ROLE, lockTenantRows, WORKER_ROLE } from '../tenant-rows';

/** Where an event has the payload: by the first characters of its id, without an index for it (as in 1764670000000). */
const OF_OWN_EVENT = `EXISTS (SELECT 1 FROM webhook_events e WHERE e.payload_id = webhook_payloads.id
  AND e.id BETWEEN (substr(webhook_payloads.id::text, 1, 15) || '000-0000-000000000000')::uuid AND (substr(webhook_payloads.id::text, 1, 15) || 'fff-ffff-ffffffffffff')::uuid)`;

/** The indexes of a table but its primary key, which has to name the same columns. */
const INDEXES: Readonly<Record<string, readonly string[]>> = {
  webhook_payloads: [],
  request_log: [
    'CREATE INDEX request_log_by_connection ON request_log (connection_id, at DESC)',
    'CREATE INDEX request_log_list ON request_log (at DESC, id DESC)',
    `CREATE INDEX request_log_of_operator ON request_log (at) WHERE error_code IN ('provider_misconfigured', 'refresh_refused')`,
  ],
};

/**
 * Payloads and the request log in partitions by time, by their ids, which are in its order (UUIDv7): what is over is dropped and not deleted.
 * What a database holds already becomes the first partition as it lies; nothing is copied.
 */
export class TimePartitions1764975000000 implements MigrationInterface {
  name = 'TimePartitions1764975000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of FUNCTIONS) await runner.query(statement);
    for (const table of Object.keys(INDEXES)) await partition(runner, table);
    await lockTenantRows(runner, 'request_log', { of: { column: 'tenant' }, readable: true });
    for (const statement of PAYLOAD_RIGHTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(INDEXES)) await join(runner, table);
    await lockTenantRows(runner, 'request_log', { of: { column: 'tenant' }, readable: true });
    for (const statement of PAYLOAD_RIGHTS) await runner.query(statement);
    for (const name of ['first_id_of', 'make_time_partition', 'lock_time_partition', 'drop_time_partition', 'time_partition_of'])
      await runner.query(`DROP FUNCTION ${name}`);
  }
}

/** The table under its own name holds partitions; the one from before is the first of them, up to the end of today. */
async function partition(runner: QueryRunner, table: string): Promise<void> {
  const before = `${table}_before`;
  await setAside(runner, table, before);
  await runner.query(`CREATE TABLE ${table} (LIKE ${before} INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY RANGE (id)`);
  for (const index of INDEXES[table] ?? []) await runner.query(index);
  // Takes what no partition was made for: a row is never lost for want of one.
  await runner.query(`CREATE TABLE ${table}_rest PARTITION OF ${table} DEFAULT`);
  const [{ until } = { until: '' }] = (await runner.query(
    `SELECT first_id_of((ceil(extract(epoch FROM now()) / 86400) * 86400000)::bigint) AS until`,
  )) as { until: string }[];
  // Ids that were not made in the order of time, and those of tomorrow: few, if any.
  await runner.query(`WITH moved AS (DELETE FROM ${before} WHERE id >= '${until}' RETURNING *) INSERT INTO ${table} SELECT * FROM moved`);
  const [row] = (await runner.query(`SELECT 1 FROM ${before} LIMIT 1`)) as object[];
  if (row) await runner.query(`ALTER TABLE ${table} ATTACH PARTITION ${before} FOR VALUES FROM (MINVALUE) TO ('${until}')`);
  else await runner.query(`DROP TABLE ${before}`);
}

/** Back to one table. */
async function join(runner: QueryRunner, table: string): Promise<void> {
  const before = `${table}_parts`;
  await setAside(runner, table, before);
  await runner.query(`CREATE TABLE ${table} (LIKE ${before} INCLUDING DEFAULTS, PRIMARY KEY (id))`);
  await runner.query(`INSERT INTO ${table} SELECT * FROM ${before}`);
  await runner.query(`DROP TABLE ${before}`);
  for (const index of INDEXES[table] ?? []) await runner.query(index);
}

/** Under another name, its indexes too, and seen by its owner alone: it is reached by the table that it becomes a part of. */
async function setAside(runner: QueryRunner, table: string, name: string): Promise<void> {
  await runner.query(`ALTER TABLE ${table} RENAME TO ${name}`);
  const indexes = (await runner.query(
    `SELECT c.relname AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '${name}'::regclass`,
  )) as { index: string }[];
  for (const { index } of indexes) await runner.query(`ALTER INDEX ${index} RENAME TO ${index.replace(table, name)}`);
  for (const policy of ['own_rows', 'held_rows', 'every_row']) await runner.query(`DROP POLICY IF EXISTS ${policy} ON ${name}`);
  await runner.query(`ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY`);
  await runner.query(`REVOKE ALL ON ${name} FROM ${CALLER_ROLE}, ${WORKER_ROLE}`);
}

const PAYLOAD_RIGHTS = [
  `ALTER TABLE webhook_payloads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
  `GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_payloads TO ${WORKER_ROLE}`,
  `CREATE POLICY every_row ON webhook_payloads TO ${WORKER_ROLE} USING (true) WITH CHECK (true)`,
  `GRANT SELECT, UPDATE (id) ON webhook_payloads TO ${CALLER_ROLE}`,
  `CREATE POLICY own_rows ON webhook_payloads FOR SELECT TO ${CALLER_ROLE} USING (${OF_OWN_EVENT})`,
  `CREATE POLICY held_rows ON webhook_payloads FOR UPDATE TO ${CALLER_ROLE} USING (${OF_OWN_EVENT}) WITH CHECK (false)`,
];

/** More than this is not moved out of the default partition while everybody waits for it: its retention deletes it. */
const MOST_MOVED = 20_000;

/**
 * Whoever owns the tables makes and drops their partitions, for a service that does not. No more than the service may do with their rows: only
 * of tables that are partitioned by `id`, which the audit is not. They wait for no more than a moment: who waits for such a lock makes
 * everybody wait behind it (https://www.postgresql.org/docs/current/explicit-locking.html).
 */
const FUNCTIONS = [
  // https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
  `CREATE FUNCTION first_id_of(ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
   $$ SELECT overlay(lpad(to_hex(ms), 12, '0') || '-7000-8000-000000000000' PLACING '-' FROM 9 FOR 0)::uuid $$`,
  `CREATE FUNCTION time_partition_of(name text) RETURNS regclass LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
   DECLARE parent regclass;
   BEGIN
     SELECT i.inhparent::regclass INTO parent FROM pg_inherits i JOIN pg_partitioned_table t ON t.partrelid = i.inhparent
       JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = t.partattrs[0] AND a.attname = 'id' AND t.partnatts = 1
     WHERE i.inhrelid = to_regclass(quote_ident(name)) AND i.inhrelid <> t.partdefid;
     IF parent IS NULL THEN RAISE EXCEPTION '% is no partition by time', name; END IF;
     RETURN parent;
   END $$`,
  // Of the two that want the same one at once, the second finds it made.
  `CREATE FUNCTION make_time_partition(parent text, low_ms bigint, high_ms bigint) RETURNS boolean LANGUAGE plpgsql
   SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
   DECLARE low uuid := first_id_of(low_ms); high uuid := first_id_of(high_ms); rest regclass; waiting int;
           name text := parent || to_char(to_timestamp(low_ms / 1000.0) AT TIME ZONE 'UTC', '_YYYY_MM_DD');
   BEGIN
     SELECT t.partdefid::regclass INTO rest FROM pg_partitioned_table t JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = t.partattrs[0]
     WHERE t.partrelid = to_regclass(quote_ident(parent)) AND a.attname = 'id' AND t.partnatts = 1 AND t.partdefid <> 0;
     IF rest IS NULL THEN RAISE EXCEPTION '% has no partitions by time', parent; END IF;
     PERFORM pg_advisory_xact_lock(hashtext('time partitions of ' || parent));
     IF to_regclass(quote_ident(name)) IS NOT NULL THEN RETURN true; END IF;
     EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
     EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', rest);
     EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM %s WHERE id >= $1 AND id < $2 LIMIT ${MOST_MOVED + 1}) w', rest) INTO waiting USING low, high;
     IF waiting > ${MOST_MOVED} THEN RETURN false; END IF;
     EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
     IF waiting > 0 THEN
       EXECUTE format('WITH moved AS (DELETE FROM %s WHERE id >= $1 AND id < $2 RETURNING *) INSERT INTO %I SELECT * FROM moved', rest, name) USING low, high;
     END IF;
     EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
     RETURN true;
   END $$`,
  // For the rest of the transaction nobody reads or writes it: what is looked at now stays so until it is dropped.
  `CREATE FUNCTION lock_time_partition(name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
   BEGIN
     EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', time_partition_of(name));
     EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
   END $$`,
  `CREATE FUNCTION drop_time_partition(name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
   BEGIN
     PERFORM time_partition_of(name);
     EXECUTE format('DROP TABLE %I', name);
   END $$`,
  ...['make_time_partition(text, bigint, bigint)', 'lock_time_partition(text)', 'drop_time_partition(text)'].flatMap((signature) => [
    `REVOKE EXECUTE ON FUNCTION ${signature} FROM PUBLIC`,
    `GRANT EXECUTE ON FUNCTION ${signature} TO ${WORKER_ROLE}`,
  ]),
];
