import { DataSource, type EntityManager } from 'typeorm';

/**
 * Rows of a statement that the server plans once a connection, for what is asked thousands of times in a row. The plan is made
 * without the params: only for statements whose plan does not depend on them.
 */
export async function prepared<Row>(db: DataSource | EntityManager, name: string, text: string, values: unknown[]): Promise<Row[]> {
  const inTransaction = db instanceof DataSource ? undefined : db.queryRunner;
  const runner = inTransaction ?? (db instanceof DataSource ? db : db.dataSource).createQueryRunner();
  try {
    const client = (await runner.connect()) as PreparedClient<Row>;
    return (await client.query({ name, text, values })).rows;
  } finally {
    if (!inTransaction) await runner.release();
  }
}

/** The driver's own client. */
interface PreparedClient<Row> {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<{ rows: Row[] }>;
}
