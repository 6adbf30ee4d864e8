import { DataSource, type EntityManager } from 'typeorm';

/** A DataSource outside a transaction, a manager inside one. */
export type Queryable = Pick<DataSource, 'query'> | Pick<EntityManager, 'query'>;

/** Rows of a SELECT or of an `INSERT ... RETURNING`. */
export async function select<Row>(db: Queryable, sql: string, params: unknown[] = []): Promise<Row[]> {
  return (await db.query(sql, params)) as Row[];
}

/** Rows of an `UPDATE` or `DELETE ... RETURNING`: TypeORM answers these with `[rows, count]`. */
export async function change<Row>(db: Queryable, sql: string, params: unknown[] = []): Promise<Row[]> {
  const [rows] = (await db.query(sql, params)) as [Row[], number];
  return rows;
}

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
