import { bindingFor } from './token.repository';

/** A row with secrets, as the key rotation reads it. */
export interface EncryptedRow {
  readonly id: string;
  readonly tenant: string;
  readonly connection_id: string;
  readonly kind: string;
  /** Of a token that several connections share. */
  readonly grant_id?: string | null;
  readonly slot?: string | null;
  /** Of a connection: what its seal stands over. */
  readonly sealed?: unknown;
  /** Of an organization's own client. */
  readonly provider?: string;
  readonly client_id?: string;
  readonly secrets: readonly (string | null)[];
}

/** A table that holds secrets: what the key check and the key rotation must know of it. */
export interface EncryptedTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** Condition: the row needs the key `$1`. */
  readonly needs: string;
  /** Rows that are not under the key `$1`, after the id `$2`, `$3` at most; locked ones are left for the next pass. */
  readonly pending: string;
  /** Where the secret of a column belongs. */
  binding(row: EncryptedRow, column: number): string;
  /** Set where the table notes the key of each row. */
  readonly keyColumn?: string;
}

/** The id of the key that encrypted a text, in SQL. */
export const keyOf = (column: string) => `split_part(${column}, ':', 2)`;

export const TOKENS: EncryptedTable = {
  table: 'tokens',
  columns: ['access_token', 'refresh_token'],
  needs: 'key_id = $1',
  pending: `SELECT t.id, coalesce(c.tenant, '') AS tenant, coalesce(t.connection_id::text, '') AS connection_id, t.kind, t.grant_id, t.slot,
      ARRAY[t.access_token, t.refresh_token] AS secrets
    FROM tokens t LEFT JOIN connections c ON c.id = t.connection_id
    WHERE t.key_id <> $1 AND t.id > $2 ORDER BY t.id LIMIT $3 FOR NO KEY UPDATE OF t SKIP LOCKED`,
  binding: (row, column) => bindingFor({ tenant: row.tenant, id: row.connection_id }, row, column === 0 ? 'access' : 'refresh'),
  keyColumn: 'key_id',
};
