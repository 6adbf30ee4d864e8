import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { asStorageError, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef, TokenGrant } from '../../contract';
import type { ConnectionRow, ConnectionStatus } from '../connection';
import { bindingOf, SecretBox } from './secret-box';
import type { TokenEntity } from './token.entity';
import type { SqlRunner } from '../../../database';

/** A token, readable. It lives in memory only. */
export interface StoredToken {
  readonly id: string;
  readonly kind: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Absent: does not expire. */
  readonly expiresAt?: Date;
  readonly obtainedAt: Date;
  /** Grows with each new pair. */
  readonly version: number;
  readonly scopes: readonly string[];
}

/** The token of a connection together with whether it may be used. */
export interface TokenState {
  readonly status: ConnectionStatus;
  readonly errorCode?: string;
  readonly token?: StoredToken;
}

export type SaveOptions =
  | { readonly mode: 'replace'; readonly at: Date }
  /** Only the kinds given, only where the stored version is still this one. */
  | { readonly mode: 'refresh'; readonly at: Date; readonly expectedVersion: number };

type TokenRow = RowOf<TokenEntity>;
type Place = Pick<ConnectionRef, 'id' | 'tenant'>;

/** Where a token's secrets belong; also used by the key rotation. */
export const tokenBinding = (connection: Place, kind: string, field: 'access' | 'refresh') =>
  bindingOf(connection.tenant, connection.id, kind, field);

/** Tokens, encrypted. The only place that decrypts them. */
@Injectable()
export class TokenRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
  ) {}

  /** The token of this kind, or the first one where no kind is given. */
  async load(connectionId: string, kind?: string, runner: SqlRunner = this.dataSource): Promise<StoredToken | undefined> {
    const [row] = await this.run<TokenRow & Pick<ConnectionRow, 'tenant'>>(
      runner,
      `SELECT t.*, c.tenant FROM tokens t JOIN connections c ON c.id = t.connection_id
       WHERE t.connection_id = $1 AND ($2::text IS NULL OR t.kind = $2) ORDER BY t.kind LIMIT 1`,
      [connectionId, kind ?? null],
    );
    return row && this.open({ id: connectionId, tenant: row.tenant }, row);
  }

  /** Status, and the token where it may be used, in one statement; undefined where there is no such connection. */
  async loadState(connectionId: string, kind?: string, runner: SqlRunner = this.dataSource): Promise<TokenState | undefined> {
    const [row] = await this.run<Partial<TokenRow> & Pick<ConnectionRow, 'tenant' | 'status' | 'error_code'>>(
      runner,
      `SELECT t.*, c.tenant, c.status, c.error_code FROM connections c
       LEFT JOIN tokens t ON t.connection_id = c.id AND ($2::text IS NULL OR t.kind = $2)
       WHERE c.id = $1 ORDER BY t.kind LIMIT 1`,
      [connectionId, kind ?? null],
    );
    if (!row) return undefined;
    return {
      status: row.status,
      ...(row.error_code !== null && { errorCode: row.error_code }),
      ...(row.status === 'connected' && row.id != null && { token: this.open({ id: connectionId, tenant: row.tenant }, row as TokenRow) }),
    };
  }

  /** Every token of a connection. */
  async loadAll(connection: Place, runner: SqlRunner = this.dataSource): Promise<StoredToken[]> {
    const rows = await this.run<TokenRow>(runner, 'SELECT * FROM tokens WHERE connection_id = $1 ORDER BY kind', [connection.id]);
    return rows.map((row) => this.open(connection, row));
  }

  /**
   * Stores grants. A refresh token that the provider did not send again is kept. `replace` also removes the kinds that were not granted.
   * @returns the tokens as stored; with `refresh`, none where the stored version is another one by now
   */
  async save(runner: SqlRunner, connection: Place, grants: readonly TokenGrant[], options: SaveOptions): Promise<StoredToken[]> {
    const saved: StoredToken[] = [];
    if (options.mode === 'replace') {
      await this.run(runner, 'DELETE FROM tokens WHERE connection_id = $1 AND NOT (kind = ANY($2))', [
        connection.id,
        grants.map(({ kind }) => kind),
      ]);
    }
    for (const grant of grants) {
      const token = await this.saveOne(runner, connection, grant, options);
      if (token) saved.push(token);
    }
    return saved;
  }

  /** @returns how many there were */
  async destroy(runner: SqlRunner, connectionId: string): Promise<number> {
    return (
      await this.run(runner, 'WITH gone AS (DELETE FROM tokens WHERE connection_id = $1 RETURNING id) SELECT id FROM gone', [connectionId])
    ).length;
  }

  private async saveOne(runner: SqlRunner, connection: Place, grant: TokenGrant, options: SaveOptions): Promise<StoredToken | undefined> {
    const { at } = options;
    const [held] = await this.run<TokenRow>(runner, 'SELECT * FROM tokens WHERE connection_id = $1 AND kind = $2 FOR NO KEY UPDATE', [
      connection.id,
      grant.kind,
    ]);
    if (options.mode === 'refresh' && held?.version !== options.expectedVersion) return undefined;
    const refreshToken = grant.refreshToken ?? this.keptRefreshToken(connection, held, options);
    const params = [
      held?.id ?? uuidv7(),
      connection.id,
      grant.kind,
      this.secrets.encrypt(grant.accessToken, tokenBinding(connection, grant.kind, 'access')),
      refreshToken === undefined ? null : this.secrets.encrypt(refreshToken, tokenBinding(connection, grant.kind, 'refresh')),
      this.secrets.primaryKeyId,
      [...grant.scopes],
      expiryOf(grant, at),
      at,
    ];
    const [row] = await this.run<TokenRow>(
      runner,
      `INSERT INTO tokens AS t (id, connection_id, kind, access_token, refresh_token, key_id, scopes, expires_at, obtained_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
       ON CONFLICT (connection_id, kind) DO UPDATE SET access_token = excluded.access_token, refresh_token = excluded.refresh_token, key_id = excluded.key_id,
         scopes = CASE WHEN cardinality(excluded.scopes) = 0 THEN t.scopes ELSE excluded.scopes END, expires_at = excluded.expires_at,
         obtained_at = excluded.obtained_at, updated_at = excluded.updated_at, version = t.version + 1
       RETURNING t.*`,
      params,
    );
    if (!row) throw new IntegrationError('internal_error');
    // whatever was in doubt about the pair before this one is settled
    await this.run(runner, 'DELETE FROM token_refreshes WHERE token_id = $1', [row.id]);
    return this.open(connection, row);
  }

  private keptRefreshToken(connection: Place, held: TokenRow | undefined, options: SaveOptions): string | undefined {
    if (held?.refresh_token == null) return undefined;
    try {
      return this.open(connection, held).refreshToken;
    } catch (error) {
      // A new grant mends a secret that cannot be read; a refresh got here by reading it.
      if (options.mode === 'replace') return undefined;
      throw error;
    }
  }

  private open(connection: Place, row: TokenRow): StoredToken {
    return {
      id: row.id,
      kind: row.kind,
      accessToken: this.secrets.decrypt(row.access_token, tokenBinding(connection, row.kind, 'access')),
      ...(row.refresh_token !== null && {
        refreshToken: this.secrets.decrypt(row.refresh_token, tokenBinding(connection, row.kind, 'refresh')),
      }),
      ...(row.expires_at !== null && { expiresAt: row.expires_at }),
      obtainedAt: row.obtained_at,
      version: row.version,
      scopes: row.scopes,
    };
  }

  private async run<Row extends object>(runner: SqlRunner, sql: string, params: unknown[]): Promise<Row[]> {
    try {
      return await runner.query<Row>(sql, params);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

/** What is not a sensible number of seconds is taken for "does not say": then a 401 tells when it has ended. */
function expiryOf(grant: TokenGrant, at: Date): Date | null {
  const seconds = grant.expiresInS;
  if (seconds === undefined || !Number.isFinite(seconds) || seconds <= 0) return null;
  return new Date(at.getTime() + Math.min(seconds, 10 * 365 * 86_400) * 1_000);
}
