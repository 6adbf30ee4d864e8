import { Pool, type PoolClient } from 'pg';
import { serverPoolConfig } from '../config/data-source-options';
import { asStorageError } from './storage-error';

/** A transaction on a connection of its own. */
export interface LockTransaction {
  /** Rows of a statement (of an UPDATE or DELETE: what it RETURNs). */
  query<Row extends object = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<Row[]>;
}

/** Injection token of `LockPool | null`: null on the embedded database, where a mutex in the process does the same. */
export const LOCK_POOL = Symbol('LockPool');

const MAX_CONNECTIONS = 5;

/**
 * A few connections beside the main pool, for row locks that are held while something slow goes on (a token refresh).
 * However many wait here, everything else keeps its connections.
 */
export class LockPool {
  private readonly pool: Pool;

  constructor(databaseUrl: string) {
    this.pool = new Pool({
      ...serverPoolConfig({ databasePoolMax: MAX_CONNECTIONS }),
      connectionString: databaseUrl,
      connectionTimeoutMillis: 30_000,
    });
    this.pool.on('error', () => undefined); // an idle connection that died; the next caller gets a new one
  }

  /** Commits when `work` resolves, rolls back when it rejects. @throws IntegrationError `storage_unavailable` */
  async transaction<T>(work: (transaction: LockTransaction) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined;
    let lost: Error | undefined;
    const onError = (error: Error) => void (lost = error);
    try {
      client = await this.pool.connect();
      client.on('error', onError);
      await client.query('BEGIN');
      const connection = client;
      const result = await work({ query: async (sql, params) => (await connection.query(sql, params)).rows });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client?.query('ROLLBACK').catch((failure: Error) => void (lost ??= failure));
      throw asStorageError(error);
    } finally {
      client?.off('error', onError);
      client?.release(lost);
    }
  }

  async close(): Promise<void> {
    if (!this.pool.ended && !this.pool.ending) await this.pool.end();
  }
}
