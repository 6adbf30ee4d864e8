/** What runs a statement: an `EntityManager`, a `DataSource`, a transaction of the lock pool, a caller's scope. */
export interface SqlRunner {
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
}

/** Rows of an UPDATE or DELETE with RETURNING: for a bare one TypeORM gives `[rows, count]`, the other runners rows. */
export async function changedRows<Row extends object>(runner: SqlRunner, sql: string, params: unknown[] = []): Promise<Row[]> {
  const answer = await runner.query<Row | Row[]>(sql, params);
  return Array.isArray(answer[0]) ? answer[0] : (answer as Row[]);
}
