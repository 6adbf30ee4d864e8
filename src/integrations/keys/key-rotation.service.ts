import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction } from '../../database';
import { SecretBox, type EncryptedRow, type EncryptedTable } from '../connections';
import { ENCRYPTED_TABLES } from './encrypted-tables';
import { EncryptionKeyEntity } from './encryption-key.entity';

export interface KeyUse {
  readonly keyId: string;
  readonly primary: boolean;
  /** Whether ENCRYPTION_KEYS has it. */
  readonly present: boolean;
  /** When it was first in use here; null where that is not known yet. */
  readonly since: string | null;
  /** Rows that need it, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Tables of which no more rows were counted: there may be more. */
  readonly atLeast: readonly string[];
}

export interface RotationReport {
  /** Rows that were encrypted anew. */
  readonly rotated: number;
  /** Rows that could not be read: altered, or made with a key that is not there. They stay as they are. */
  readonly unreadable: number;
  /** Rows that are still under another key, the unreadable ones included. */
  readonly remaining: number;
}

export interface RotationOptions {
  /** Rows a transaction. Default 200. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (rotated: number) => void;
}

/** Rows that a page or the API counts of a table. */
export const KEY_ROWS_COUNTED = 10_000;
const DEFAULTS = { batchSize: 200 };
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/** A row that is being refreshed at the moment is met again in the next pass. */
const MAX_PASSES = 5;

/** Re-encrypts everything with the primary key while the service runs: in batches, each committed, so that it may stop and go on at any point. */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
  ) {}

  /** Which key is needed by how many rows, counted up to `most` in each table; 0 is always none. */
  async status(most?: number): Promise<KeyUse[]> {
    const known = await this.dataSource.manager.find(EncryptionKeyEntity, { order: { createdAt: 'ASC', keyId: 'ASC' } });
    const since = new Map(known.map(({ keyId, createdAt }) => [keyId, createdAt.toISOString()]));
    const ids = new Set([...this.secrets.keyIds, ...since.keys()]);
    const uses: KeyUse[] = [];
    for (const keyId of ids) {
      const rows: Record<string, number> = {};
      for (const { table, needs } of ENCRYPTED_TABLES) {
        const [counted]: { count: number }[] = await this.dataSource.query(
          `SELECT count(*)::int AS count FROM (SELECT 1 FROM ${table} WHERE ${needs} LIMIT $2) n`,
          [keyId, most ?? null],
        );
        rows[table] = counted?.count ?? 0;
      }
      uses.push({
        keyId,
        primary: keyId === this.secrets.primaryKeyId,
        present: this.secrets.keyIds.includes(keyId),
        since: since.get(keyId) ?? null,
        rows,
        atLeast: Object.keys(rows).filter((table) => most !== undefined && (rows[table] ?? 0) >= most),
      });
    }
    return uses;
  }

  async rotate(options: RotationOptions = {}): Promise<RotationReport> {
    let rotated = 0;
    const unreadable = new Set<string>();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      for (const table of ENCRYPTED_TABLES) {
        for (let after = FIRST_ID; ;) {
          options.signal?.throwIfAborted();
          const batch = await this.rotateBatch(table, after, options.batchSize ?? DEFAULTS.batchSize);
          rotated += batch.rotated;
          for (const id of batch.unreadable) unreadable.add(id);
          options.onProgress?.(rotated);
          if (batch.last === undefined) break;
          after = batch.last;
        }
      }
      if ((await this.remaining()) <= unreadable.size) break;
    }
    return { rotated, unreadable: unreadable.size, remaining: await this.remaining() };
  }

  private async remaining(): Promise<number> {
    const others = (await this.status()).filter(({ primary }) => !primary);
    return others.reduce((sum, { rows }) => sum + Object.values(rows).reduce((a, b) => a + b, 0), 0);
  }

  private rotateBatch(
    table: EncryptedTable,
    after: string,
    size: number,
  ): Promise<{ rotated: number; unreadable: string[]; last?: string }> {
    return inTransaction(this.dataSource, async (manager) => {
      const rows: EncryptedRow[] = await manager.query(table.pending, [this.secrets.primaryKeyId, after, size]);
      const unreadable: string[] = [];
      const fresh: { row: EncryptedRow; secrets: (string | null)[] }[] = [];
      for (const row of rows) {
        const secrets = this.reencrypt(table, row);
        if (secrets) fresh.push({ row, secrets });
        else unreadable.push(row.id);
      }
      if (fresh.length > 0) await manager.query(...updateOf(table, fresh, this.secrets.primaryKeyId));
      return { rotated: fresh.length, unreadable, last: rows.at(-1)?.id };
    });
  }

  private reencrypt(table: EncryptedTable, row: EncryptedRow): (string | null)[] | undefined {
    try {
      return row.secrets.map((text, column) => {
        if (text === null) return null;
        const binding = table.binding(row, column);
        return this.secrets.encrypt(this.secrets.decrypt(text, binding), binding);
      });
    } catch {
      return undefined; // counted and reported; a start without its key will name it
    }
  }
}

/** One statement for the batch; a row that is no longer what was read is left alone. */
function updateOf(table: EncryptedTable, fresh: { row: EncryptedRow; secrets: (string | null)[] }[], keyId: string): [string, unknown[]] {
  const params: unknown[] = [fresh.map(({ row }) => row.id)];
  const arrays = ['$1::uuid[]'];
  const names = ['id'];
  const sets: string[] = [];
  const unchanged: string[] = [];
  table.columns.forEach((column, index) => {
    arrays.push(
      `$${params.push(fresh.map(({ secrets }) => secrets[index]))}::text[]`,
      `$${params.push(fresh.map(({ row }) => row.secrets[index]))}::text[]`,
    );
    names.push(`new_${column}`, `old_${column}`);
    sets.push(`${column} = f.new_${column}`);
    unchanged.push(`t.${column} IS NOT DISTINCT FROM f.old_${column}`);
  });
  if (table.keyColumn) sets.push(`${table.keyColumn} = $${params.push(keyId)}`);
  const sql = `UPDATE ${table.table} t SET ${sets.join(', ')} FROM unnest(${arrays.join(', ')}) AS f (${names.join(', ')}) WHERE t.id = f.id AND ${unchanged.join(' AND ')}`;
  return [sql, params];
}
