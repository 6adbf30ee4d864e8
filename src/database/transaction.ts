import { setTimeout as sleep } from 'node:timers/promises';
import {
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  type DataSource,
  type EntityManager,
  type QueryRunner,
} from 'typeorm';
import { IntegrationError } from '../errors';
import { prepared } from './prepared';
import { asStorageError, isRetryableTransactionError } from './storage-error';

const MAX_RETRIES = 3;
const RETRY_WAIT_MS = 20;

/**
 * Runs `work` in one transaction. A serialization failure or a deadlock runs it again, 3 times at most, so it must have no
 * effect but through `manager`. Use only `manager` inside: the embedded database has one connection.
 * @throws IntegrationError `storage_unavailable` when the database cannot serve now. Where the connection was lost during
 * COMMIT the work may have been kept: make it idempotent by a unique key. `begun`: the transaction for the first try.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
  begun?: BegunTransaction,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (attempt === 0 && begun ? begun.run(work) : dataSource.transaction(work));
    } catch (error) {
      if (attempt === MAX_RETRIES || !isRetryableTransactionError(error)) throw lostConnection(error) ?? asStorageError(error);
    }
    // a random part, so that two that met do not meet again
    await sleep(RETRY_WAIT_MS * 2 ** attempt * (0.5 + Math.random()));
  }
}

/** TypeORM gives a connection back as soon as it dies, so the transaction's next statement meets a released one. */
function lostConnection(error: unknown): IntegrationError | undefined {
  const released = error instanceof QueryRunnerAlreadyReleasedError || error instanceof QueryRunnerProviderAlreadyReleasedError;
  return released ? new IntegrationError('storage_unavailable', { retryAfterMs: 1_000, cause: error }) : undefined;
}

/** A transaction that has begun. It ends with `run` or with `drop`, and gives its connection back. */
export class BegunTransaction {
  constructor(
    private readonly runner: QueryRunner,
    private readonly begun: Promise<unknown>,
  ) {}

  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      await this.begun;
      const result = await work(this.runner.manager);
      await this.runner.commitTransaction();
      return result;
    } catch (error) {
      await this.runner.rollbackTransaction().catch(() => undefined); // the connection may be gone: the server rolls back then
      throw error;
    } finally {
      await this.runner.release();
    }
  }

  async drop(): Promise<void> {
    await this.begun.catch(() => undefined);
    await this.runner.rollbackTransaction().catch(() => undefined);
    await this.runner.release();
  }
}

/**
 * Runs a statement that commits by itself, and begins a transaction on the same connection behind it without waiting for its
 * answer, where the one always follows the other.
 */
export async function beginBehind<Row>(
  dataSource: DataSource,
  statement: { name: string; text: string; values: unknown[] },
): Promise<{ rows: Row[]; begun: BegunTransaction }> {
  const runner = dataSource.createQueryRunner();
  let begun: BegunTransaction | undefined;
  // Not before the statement is on its way: it would become a part of the transaction.
  const begin = () => {
    const started = runner.startTransaction();
    started.catch(() => undefined); // whoever runs or drops it meets the error
    begun = new BegunTransaction(runner, started);
  };
  try {
    const rows = await prepared<Row>(runner.manager, statement.name, statement.text, statement.values, begin);
    if (!begun) throw new Error('no transaction was begun');
    return { rows, begun };
  } catch (error) {
    await (begun ? begun.drop() : runner.release());
    throw error;
  }
}
