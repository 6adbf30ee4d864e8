import { DataSource, type EntityManager } from 'typeorm';

/** A plan is made for the tables as they are; after this it is made anew, as a table may have grown from nothing meanwhile. ms */
const PLANS_KEPT_MS = 1_000;

/** When a connection's plans were last thrown away. */
const planned = new WeakMap<PreparedClient<unknown>, number>();

/**
 * Rows of a statement that the server parses once a connection and plans once a second, for what is asked thousands of times in a
 * row: to plan one with several tables takes longer than to run it. The plan is made without the params: only for statements whose
 * plan does not depend on them. `sent` is called when the statement is on its way, before it is answered.
 */
export async function prepared<Row>(
  db: DataSource | EntityManager,
  name: string,
  text: string,
  values: unknown[],
  sent?: () => void,
): Promise<Row[]> {
  const inTransaction = db instanceof DataSource ? undefined : db.queryRunner;
  const runner = inTransaction ?? (db instanceof DataSource ? db : db.dataSource).createQueryRunner();
  try {
    const client = (await runner.connect()) as PreparedClient<Row>;
    const now = performance.now();
    if (now - (planned.get(client) ?? 0) > PLANS_KEPT_MS) {
      planned.set(client, now);
      await client.query({ text: 'DISCARD PLANS' });
    }
    const answer = client.query({ name, text, values });
    sent?.();
    return (await answer).rows;
  } finally {
    if (!inTransaction) await runner.release();
  }
}

/** The driver's own client. */
interface PreparedClient<Row> {
  query(statement: { name?: string; text: string; values?: unknown[] }): Promise<{ rows: Row[] }>;
}
