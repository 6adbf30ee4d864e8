import type { DataSource, EntityManager } from 'typeorm';
import { MIGRATION_LOCK } from '../migrator';
import type { TransferredSums } from './export-database';
import { readTransferFile, type FileMark } from './transfer-file';
import { TransferFileError } from './transfer-file-error';
import { migrationsOf, named, sumOf, transferredTables, type TableSum } from './transferred-tables';

const ROWS_AT_ONCE = 500;
const CHARS_AT_ONCE = 4_000_000;

/** Called with the rows of a table, as a JSON array, before they are written: what has to be there for them. */
export type BeforeRows = Readonly<Record<string, (manager: EntityManager, rows: string) => Promise<void>>>;

/**
 * Reads an export into an empty database of the same version, in one transaction: all of it, proven equal by count and hash of each
 * table, or nothing. @throws TransferFileError which says why not
 */
export async function importDatabase(dataSource: DataSource, path: string, before: BeforeRows = {}): Promise<TransferredSums> {
  return dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL statement_timeout = 0');
    await manager.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await manager.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await refuseFilled(manager);
    const reader = new Import(manager, before);
    for await (const line of readTransferFile(path)) await ('mark' in line ? reader.mark(line.mark) : reader.row(line.row));
    return reader.sums;
  });
}

async function refuseFilled(manager: EntityManager): Promise<void> {
  const filled: string[] = [];
  for (const table of await transferredTables(manager))
    if ((await manager.query<object[]>(`SELECT 1 FROM ${named(table)} LIMIT 1`)).length > 0) filled.push(table);
  if (filled.length > 0)
    throw new TransferFileError(
      `The database is not empty (${filled.join(', ')}): import into a new one, before a service has started on it.`,
    );
}

class Import {
  readonly sums: Record<string, TableSum> = {};
  private table?: string;
  private waiting: string[] = [];
  private chars = 0;

  constructor(
    private readonly manager: EntityManager,
    private readonly before: BeforeRows,
  ) {}

  async mark(mark: FileMark): Promise<void> {
    if ('migrations' in mark) return this.compareVersions(mark.migrations);
    if ('table' in mark) this.table = mark.table;
    if ('end' in mark) await this.end(mark);
  }

  async row(row: string): Promise<void> {
    this.waiting.push(row);
    this.chars += row.length;
    if (this.waiting.length >= ROWS_AT_ONCE || this.chars >= CHARS_AT_ONCE) await this.write();
  }

  private async compareVersions(theirs: readonly string[]): Promise<void> {
    const ours = await migrationsOf(this.manager);
    const strange = theirs.filter((name) => !ours.includes(name));
    const lacking = ours.filter((name) => !theirs.includes(name));
    if (strange.length + lacking.length === 0) return;
    const why = strange.length > 0 ? `it has ${strange.join(', ')}, which this version does not know` : `it lacks ${lacking.join(', ')}`;
    throw new TransferFileError(`The export was made by another version: ${why}. Import it with the version that made it, then upgrade.`);
  }

  private async end({ end, rows, hash }: { end: string } & TableSum): Promise<void> {
    await this.write();
    const seen = await sumOf(this.manager, end);
    if (seen.rows !== rows || seen.hash !== hash)
      throw new TransferFileError(
        `${end} is not what was exported: ${seen.rows} rows (hash ${seen.hash}) for ${rows} (${hash}). Nothing was kept.`,
      );
    this.sums[end] = seen;
    this.table = undefined;
  }

  private async write(): Promise<void> {
    if (this.waiting.length === 0) return;
    if (this.table === undefined) throw new TransferFileError('Rows of no table: the file is damaged.');
    const rows = `[${this.waiting.join(',')}]`;
    this.waiting = [];
    this.chars = 0;
    await this.before[this.table]?.(this.manager, rows);
    const name = named(this.table);
    await this.manager.query(`INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1::json)`, [rows]);
  }
}
