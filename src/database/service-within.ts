import { EntityManager } from 'typeorm';
import { asService } from './caller-scope';
import type { SqlRunner } from './sql-runner';
import { WORKER_ROLE } from './tenant-rows';

/** Whose rights the transaction had, so that it gets them back. */
const BECOME_SERVICE = `SELECT current_setting('role') AS role, set_config('role', '${WORKER_ROLE}', true)`;
const BECOME = `SELECT set_config('role', $1, true)`;

/**
 * Statements of the service within a transaction that may be a caller's, which reaches its organization's rows alone: for what is known of
 * everybody's rows and given to no caller. Where `work` fails the transaction is over, and its role with it.
 */
export async function asServiceWithin<T>(runner: SqlRunner, work: () => Promise<T>): Promise<T> {
  if (!(runner instanceof EntityManager) || !runner.queryRunner?.isTransactionActive) return asService(work);
  const [before] = await runner.query<{ role: string }[]>(BECOME_SERVICE);
  const done = await work();
  await runner.query(BECOME, [before?.role ?? 'none']);
  return done;
}
