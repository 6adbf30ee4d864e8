import type { DataSource, EntityManager } from 'typeorm';
import { writeTransferFile, type FileLine } from './transfer-file';
import { migrationsOf, named, sumOf, transferredTables, type TableSum } from './transferred-tables';

/** Rows of a journey are as many as this many characters hold, by the last journey's measure. */
const CHARS_AT_ONCE = 4_000_000;
const FIRST_ROWS = 10;
const MOST_ROWS = 2_000;

export type TransferredSums = Readonly<Record<string, TableSum>>;

/** Writes all that the database holds at one moment into a file. @returns how much it is, by table */
export async function exportDatabase(dataSource: DataSource, path: string): Promise<TransferredSums> {
  return dataSource.transaction('REPEATABLE READ', async (manager) => {
    await manager.query('SET TRANSACTION READ ONLY');
    await manager.query('SET LOCAL statement_timeout = 0');
    const sums: Record<string, TableSum> = {};
    await writeTransferFile(path, linesOf(manager, sums));
    return sums;
  });
}

async function* linesOf(manager: EntityManager, sums: Record<string, TableSum>): AsyncGenerator<FileLine> {
  yield { mark: { trestle: 1, migrations: await migrationsOf(manager) } };
  for (const table of await transferredTables(manager)) {
    yield { mark: { table } };
    for await (const row of rowsOf(manager, table)) yield { row };
    const sum = (sums[table] = await sumOf(manager, table));
    yield { mark: { end: table, ...sum } };
  }
  yield { mark: { complete: true } };
}

async function* rowsOf(manager: EntityManager, table: string): AsyncGenerator<string> {
  await manager.query(`DECLARE exported NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM ${named(table)} t`);
  for (let wanted = FIRST_ROWS; ;) {
    const found = await manager.query<{ row: string }[]>(`FETCH ${wanted} FROM exported`);
    if (found.length === 0) break;
    let chars = 0;
    for (const { row } of found) {
      chars += row.length;
      yield row;
    }
    wanted = Math.max(1, Math.min(MOST_ROWS, Math.floor((CHARS_AT_ONCE * found.length) / Math.max(chars, 1))));
  }
  await manager.query('CLOSE exported');
}
