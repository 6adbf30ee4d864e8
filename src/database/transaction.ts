import { setTimeout as sleep } from 'node:timers/promises';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError, type DataSource, type EntityManager } from 'typeorm';
import { backOffMs } from '../back-off';
import { IntegrationError } from '../errors';
import { asStorageError, isRetryableTransactionError } from './storage-error';

const MAX_RETRIES = 3;
/** A random part, so that two that met do not meet again. */
const RETRY_PAUSES = { firstMs: 30, maxMs: 120, jitter: 0.7 };

/**
 * Runs `work` in one transaction. A serialization failure or a deadlock runs it again, 3 times at most, so it must have no
 * effect but through `manager`. Use only `manager` inside: the embedded database has one connection.
 * @throws IntegrationError `storage_unavailable` when the database cannot serve now. Where the connection was lost during
 * COMMIT the work may have been kept: make it idempotent by a unique key.
 */
export async function inTransaction<T>(dataSource: DataSource, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  return retried(() => dataSource.transaction(work)).catch((error: unknown) => {
    throw lostConnection(error) ?? asStorageError(error);
  });
}

/** Runs a transaction, or a statement that is one, again after a serialization failure or a deadlock: 3 times at most. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (failures > MAX_RETRIES || !isRetryableTransactionError(error)) throw error;
    }
    await sleep(backOffMs(failures, RETRY_PAUSES));
  }
}

/** TypeORM gives a connection back as soon as it dies, so the transaction's next statement meets a released one. */
function lostConnection(error: unknown): IntegrationError | undefined {
  const released = error instanceof QueryRunnerAlreadyReleasedError || error instanceof QueryRunnerProviderAlreadyReleasedError;
  return released ? new IntegrationError('storage_unavailable', { retryAfterMs: 1_000, cause: error }) : undefined;
}
