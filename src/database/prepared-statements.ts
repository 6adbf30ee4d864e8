import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';

/** A plan is made for the tables as they are; after this it is made anew, as a table may have grown from nothing meanwhile. ms */
const PLANS_KEPT_MS = 1_000;

/** When a connection's plans were last thrown away. */
const planned = new WeakMap<PreparingClient, number>();

/** Of a name, each connection keeps what the server made of the text. */
interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** The driver's own client. It sends what it is asked at once, without waiting for the answers before. */
interface PreparingClient {
  query<Row>(statement: Statement): Promise<{ rows: Row[] }>;
}

/**
 * Rows of a statement that the server parses once a connection and plans once a second, for what is asked thousands of times in a
 * row: to plan one with several tables takes longer than to run it. The plan is made without the params: only for statements whose
 * plan does not depend on them.
 */
export async function prepared<Row>(db: DataSource | EntityManager, name: string, sql: string, values: unknown[]): Promise<Row[]> {
  const inTransaction = db instanceof DataSource ? undefined : db.queryRunner;
  const runner = inTransaction ?? (db instanceof DataSource ? db : db.dataSource).createQueryRunner();
  try {
    const client = await connected(runner);
    return (await client.query<Row>({ name, text: sql, values })).rows;
  } finally {
    if (!inTransaction) await runner.release();
  }
}

/** The connection's client, for prepared statements: its plans are not older than a second. */
async function connected(runner: QueryRunner): Promise<PreparingClient> {
  const client = (await runner.connect()) as PreparingClient;
  const now = performance.now();
  if (now - (planned.get(client) ?? 0) > PLANS_KEPT_MS) {
    planned.set(client, now);
    client.query({ text: 'DISCARD PLANS' }).catch(() => undefined); // a connection that is gone says so to what follows
  }
  return client;
}
