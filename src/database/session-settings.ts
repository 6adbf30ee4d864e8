/** What a session is asked to run statements with; a client of `pg`. */
interface Session {
  query(sql: string, values?: unknown[]): Promise<unknown>;
}

/**
 * What our statements and the driver rely on, whatever the database or the role sets. With a `DateStyle` of German, say, no date could
 * be read (https://www.postgresql.org/docs/current/runtime-config-client.html).
 */
const RELIED_ON: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  search_path: 'public',
  array_nulls: 'on',
  transform_null_equals: 'off',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // none of our statements is worth compiling: where many rows are expected it took 500 ms before the first of them
  jit: 'off',
  lock_timeout: '0',
  transaction_timeout: '0',
};

/** An unfinished transaction waits so long for its next statement. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** A server does not know those that are newer than itself. */
const SET = `SELECT set_config(s.name, g.value, false) FROM unnest($1::text[], $2::text[]) AS g (name, value) JOIN pg_settings s ON s.name = g.name`;

/**
 * Makes a new session ours: for `onConnect` of a pool. As a statement and not as options of the start, which a pooler between us and the
 * server may refuse. @param statementTimeoutMs how long a statement may take; 0 for no limit
 */
export async function setUpSession(session: Session, statementTimeoutMs: number): Promise<void> {
  const settings = {
    ...RELIED_ON,
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  };
  // first and by itself: a short one of the role's would end the statement that replaces it
  await session.query('SET statement_timeout = 0');
  await session.query(SET, [Object.keys(settings), Object.values(settings)]);
}
