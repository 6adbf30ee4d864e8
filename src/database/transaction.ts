import { setTimeout as sleep } from 'node:timers/promises';
import {
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  type DataSource,
  type EntityManager,
  type QueryRunner,
} from 'typeorm';
import { IntegrationError } from '../errors';
import { connected, type Statement } from './prepared-statements';
import { asStorageError, isRetryableTransactionError } from './storage-error';

const MAX_RETRIES = 3;
const RETRY_WAIT_MS = 20;

/**
 * Runs `work` in one transaction. A serialization failure or a deadlock runs it again, 3 times at most, so it must have no
 * effect but through `manager`. Use only `manager` inside: the embedded database has one connection.
 * @throws IntegrationError `storage_unavailable` when the database cannot serve now. Where the connection was lost during
 * COMMIT the work may have been kept: make it idempotent by a unique key. `begun`: the transaction for the first try, whose first
 * statement has run by then.
 */
export async function inTransaction<T, First = never>(
  dataSource: DataSource,
  work: (manager: EntityManager, first?: First[]) => Promise<T>,
  begun?: BegunTransaction<First>,
): Promise<T> {
  let first = begun;
  const tried = retried(() => {
    const run = first ? first.run(work) : dataSource.transaction((manager) => work(manager));
    first = undefined;
    return run;
  });
  return tried.catch((error: unknown) => {
    throw lostConnection(error) ?? asStorageError(error);
  });
}

/** Runs a transaction, or a statement that is one, again after a serialization failure or a deadlock: 3 times at most. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_RETRIES || !isRetryableTransactionError(error)) throw error;
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

/** A transaction that has begun, its first statement with it. It ends with `run` or with `drop`, and gives its connection back. */
export class BegunTransaction<Row> {
  constructor(
    private readonly runner: QueryRunner,
    private readonly first: Promise<Row[]>,
  ) {}

  /** `work` gets the rows of the first statement. */
  async run<T>(work: (manager: EntityManager, first: Row[]) => Promise<T>): Promise<T> {
    try {
      const result = await work(this.runner.manager, await this.first);
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
    await this.first.catch(() => undefined);
    await this.runner.rollbackTransaction().catch(() => undefined);
    await this.runner.release();
  }
}

/**
 * SQL: whether the statement stands in a transaction of `beginBehind`. Its beginning may fail alone, when somebody cancels what the
 * backend is doing: what follows it is on its way by then and would commit by itself. DEFERRABLE means nothing else at this level.
 */
export const IS_BEGUN = `current_setting('transaction_deferrable') = 'on'`;

/**
 * Runs a statement and commits it, and behind it on the same connection begins a transaction with its `first` statement: all of it in
 * one journey, as the one always follows the other. `first` has no effect unless `IS_BEGUN`. For TypeORM it is one transaction, which
 * the commit in the middle goes on with (https://www.postgresql.org/docs/current/sql-commit.html, AND CHAIN).
 */
export async function beginBehind<Row, First>(
  dataSource: DataSource,
  statement: Statement,
  first: Statement,
): Promise<{ rows: Row[]; begun: BegunTransaction<First> }> {
  const runner = dataSource.createQueryRunner();
  let begun: BegunTransaction<First> | undefined;
  try {
    const client = await connected(runner);
    await runner.startTransaction();
    const rows = client.query<Row>(statement);
    const committed = client.query({ text: 'COMMIT AND CHAIN' });
    const marked = client.query({ text: 'SET TRANSACTION DEFERRABLE' });
    const answer = client.query<First>(first).then((result) => result.rows);
    begun = new BegunTransaction(runner, answer);
    marked.catch(() => undefined); // `first` does nothing then
    answer.catch(() => undefined); // likewise
    const [stored] = await Promise.all([rows, committed]);
    return { rows: stored.rows, begun };
  } catch (error) {
    await (begun ? begun.drop() : runner.release());
    throw error;
  }
}
