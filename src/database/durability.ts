import type { DataSource } from 'typeorm';

/**
 * In a statement: its commit does not wait for the disk. For what may be lost with the server, but not with this process
 * (https://www.postgresql.org/docs/current/wal-async-commit.html). Without fsync there is nothing to wait for and it changes
 * nothing: the embedded database has no WAL writer, so what is not written at the commit would die with the process.
 */
export const COMMIT_WITHOUT_WAITING = `set_config('synchronous_commit', CASE current_setting('fsync') WHEN 'on' THEN 'off' ELSE current_setting('synchronous_commit') END, true)`;

const PROMISE = 'an event that was answered with success can be lost when the server loses power';

const SETTINGS: Readonly<Record<string, { bad: RegExp; set: string }>> = {
  // local, remote_write and remote_apply all wait for the local disk
  synchronous_commit: { bad: /^off$/, set: 'on' },
  fsync: { bad: /^off$/, set: 'on' },
  full_page_writes: { bad: /^off$/, set: 'on' },
};

/** One sentence for each setting of the server under which a commit may be lost. https://www.postgresql.org/docs/current/wal-reliability.html */
export async function durabilityWarnings(dataSource: DataSource): Promise<string[]> {
  const rows: { name: string; setting: string }[] = await dataSource.query('SELECT name, setting FROM pg_settings WHERE name = ANY($1)', [
    Object.keys(SETTINGS),
  ]);
  return rows
    .filter(({ name, setting }) => SETTINGS[name]?.bad.test(setting))
    .map(({ name, setting }) => `Postgres runs with ${name} = ${setting}: ${PROMISE}. Set ${name} = ${SETTINGS[name]?.set} on the server.`);
}
