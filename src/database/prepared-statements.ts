import { DataSource, type EntityManager } from 'typeorm';

/** Of a name, each connection keeps what the server made of the text. */
interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** The driver's own client. */
interface PreparingClient {
  query<Row>(statement: Statement): Promise<{ rows: Row[] }>;
}

/**
 * Rows of a statement that the server parses and plans once a connection, for what is asked thousands of times in a row: to plan one
 * with several tables takes longer than to run it (docs/decisions/0014). Only for statements whose plan does not depend on their params.
 */
export async function prepared<Row>(db: DataSource | EntityManager, name: string, sql: string, values: unknown[]): Promise<Row[]> {
  const inTransaction = db instanceof DataSource ? undefined : db.queryRunner;
  const runner = inTransaction ?? (db instanceof DataSource ? db : db.dataSource).createQueryRunner();
  try {
    const client = (await runner.connect()) as PreparingClient;
    return (await client.query<Row>({ name, text: sql, values })).rows;
  } finally {
    if (!inTransaction) await runner.release();
  }
}
