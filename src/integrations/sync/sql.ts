import type { DataSource, EntityManager } from 'typeorm';

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
