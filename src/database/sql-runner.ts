/**
 * What runs a statement: an `EntityManager`, a `DataSource` or a transaction of the lock pool. Write an UPDATE or DELETE that
 * returns rows inside a WITH and select from it: TypeORM gives `[rows, count]` for a bare one, the lock pool rows.
 */
export interface SqlRunner {
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
}
