import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { asService, asStorageError, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef, TokenGrant } from '../../contract';
import type { ConnectionRow, ConnectionStatus } from '../connection';
import { dropUnusedTokens, MAY_USE } from '../grants';
import { ConnectionSeals } from '../seals/connection-seals';
import { SEALED, type Sealed } from '../seals/sealed-columns';
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
  /** Other connections may use it too. */
  readonly shared: boolean;
}

/** The token of a connection together with whether it may be used. */
export interface TokenState {
  readonly status: ConnectionStatus;
  readonly errorCode?: string;
  readonly token?: StoredToken;
}

export type SaveOptions =
  /** What the connection is given; `slotOf` says which of it lies in a slot of the grant. */
  | { readonly mode: 'replace'; readonly at: Date; readonly slotOf?: (kind: string) => string | undefined }
  /** The renewed token, only where its stored version is still this one. */
  | { readonly mode: 'refresh'; readonly at: Date; readonly tokenId: string; readonly expectedVersion: number };

/** What a connection had of its own, and has in slots from now on. */
export interface SlotMove {
  readonly connectionId: string;
  /** Ids. */
  readonly tokens: readonly string[];
  readonly slots: readonly string[];
}

export interface SlotToken {
  readonly slot: string;
  /** Whose it was. */
  readonly member: Place & { readonly grantId: string | null };
  readonly token: StoredToken;
}

type TokenRow = RowOf<TokenEntity>;
type Place = Pick<ConnectionRef, 'id' | 'tenant'>;
type Field = 'access' | 'refresh';
/** Which token it is, before there is one. */
type TokenSeat = Pick<TokenRow, 'id' | 'connection_id' | 'grant_id' | 'slot' | 'kind'>;

/** Where a token's secrets belong; also used by the key rotation. The two forms differ in length: neither can stand for the other. */
export function bindingFor(
  connection: Place,
  { grant_id, slot, kind }: { readonly grant_id?: string | null; readonly slot?: string | null; readonly kind: string },
  field: Field,
): string {
  return grant_id != null && slot != null
    ? bindingOf('grant', grant_id, slot, kind, field)
    : bindingOf(connection.tenant, connection.id, kind, field);
}

/** Beside a token: the connection that asks for it. */
const CONNECTION = `c.tenant, ${SEALED}`;

/**
 * Tokens, encrypted. The only place that decrypts them, and reads them: a caller's own statements cannot. For a connection whose row was
 * altered it throws `connection_altered`.
 */
@Injectable()
export class TokenRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    private readonly seals: ConnectionSeals,
  ) {}

  /** The token of this kind, or the first one where no kind is given. */
  async load(connectionId: string, kind?: string, runner: SqlRunner = this.dataSource): Promise<StoredToken | undefined> {
    const [row] = await this.run<TokenRow & Pick<ConnectionRow, 'tenant'> & Sealed>(
      runner,
      `SELECT t.*, ${CONNECTION} FROM connections c JOIN tokens t ON ${MAY_USE}
       WHERE c.id = $1 AND ($2::text IS NULL OR t.kind = $2) ORDER BY t.kind LIMIT 1`,
      [connectionId, kind ?? null],
    );
    if (row) this.seals.check(row);
    return row && this.open({ id: connectionId, tenant: row.tenant }, row);
  }

  /** Status, and the token where it may be used, in one statement; undefined where there is no such connection. */
  async loadState(connectionId: string, kind?: string, runner: SqlRunner = this.dataSource): Promise<TokenState | undefined> {
    const [row] = await this.run<Partial<TokenRow> & Pick<ConnectionRow, 'tenant' | 'status' | 'error_code'> & Sealed>(
      runner,
      `SELECT t.*, ${CONNECTION}, c.status, c.error_code FROM connections c
       LEFT JOIN tokens t ON ${MAY_USE} AND ($2::text IS NULL OR t.kind = $2)
       WHERE c.id = $1 ORDER BY t.kind LIMIT 1`,
      [connectionId, kind ?? null],
    );
    if (!row) return undefined;
    this.seals.check(row);
    return {
      status: row.status,
      ...(row.error_code !== null && { errorCode: row.error_code }),
      ...(row.status === 'connected' && row.id != null && { token: this.open({ id: connectionId, tenant: row.tenant }, row as TokenRow) }),
    };
  }

  /** Every token of a connection. */
  async loadAll(connection: Place, runner: SqlRunner = this.dataSource): Promise<StoredToken[]> {
    const rows = await this.run<TokenRow & Sealed>(
      runner,
      `SELECT t.*, ${SEALED} FROM connections c JOIN tokens t ON ${MAY_USE} WHERE c.id = $1 ORDER BY t.kind`,
      [connection.id],
    );
    if (rows[0]) this.seals.check(rows[0]);
    return rows.map((row) => this.open(connection, row));
  }

  /**
   * Stores what was granted. A refresh token that the provider did not send again is kept. `replace` also takes from the connection what was
   * not granted this time; a shared token is replaced for all who share it.
   * @returns the tokens as stored; with `refresh`, none where the stored version is another one by now
   */
  async save(runner: SqlRunner, connection: Place, grants: readonly TokenGrant[], options: SaveOptions): Promise<StoredToken[]> {
    if (options.mode === 'refresh') return this.saveRenewed(runner, connection, grants, options);
    const granted = grants.map((grant) => ({ grant, slot: options.slotOf?.(grant.kind) }));
    const own = granted.filter(({ slot }) => slot === undefined);
    await this.run(runner, 'DELETE FROM tokens WHERE connection_id = $1 AND NOT (kind = ANY($2))', [
      connection.id,
      own.map(({ grant }) => grant.kind),
    ]);
    const slots = granted.flatMap(({ slot }) => slot ?? []);
    const setSlots = () =>
      this.run<Pick<ConnectionRow, 'grant_id'>>(
        runner,
        'WITH changed AS (UPDATE connections SET slots = $2 WHERE id = $1 RETURNING grant_id) SELECT grant_id FROM changed',
        [connection.id, slots],
      );
    const [row] = await this.seals.change(runner, [connection.id], setSlots);
    const saved: StoredToken[] = [];
    for (const { grant, slot } of granted) {
      const place = slot === undefined ? ownPlace(connection.id) : { connection_id: null, grant_id: row?.grant_id ?? null, slot };
      const [held] = await this.run<TokenRow>(
        runner,
        `SELECT * FROM tokens WHERE CASE WHEN $3::text IS NULL THEN connection_id = $1 AND kind = $4 ELSE grant_id = $2 AND slot = $3 END
         FOR NO KEY UPDATE`,
        [place.connection_id, place.grant_id, place.slot, grant.kind],
      );
      saved.push(await this.write(runner, connection, held ?? { id: uuidv7(), kind: grant.kind, ...place }, grant, options));
    }
    if (row?.grant_id != null) await dropUnusedTokens(runner, connection.id);
    return saved;
  }

  /** Nobody renews them until the transaction ends. */
  async lockOwn(runner: SqlRunner, connectionIds: readonly string[]): Promise<void> {
    await this.run(runner, 'SELECT 1 FROM tokens WHERE connection_id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [connectionIds]);
  }

  /** Puts these tokens into the slots of their connections' grant, in place of what each connection had of its own. */
  async moveToSlots(runner: SqlRunner, moves: readonly SlotMove[], newest: readonly SlotToken[]): Promise<void> {
    for (const { slot, member, token } of newest) {
      const [held] = await this.run<TokenRow>(runner, 'SELECT * FROM tokens WHERE grant_id = $1 AND slot = $2 FOR NO KEY UPDATE', [
        member.grantId,
        slot,
      ]);
      const seat = { id: uuidv7(), kind: token.kind, connection_id: null, grant_id: member.grantId, slot };
      await this.write(runner, member, held ?? seat, grantOf(token), { mode: 'replace', at: token.obtainedAt });
    }
    const move = () =>
      this.run(
        runner,
        `WITH gone AS (DELETE FROM tokens WHERE id = ANY ($1::uuid[]))
         UPDATE connections c SET slots = ARRAY(SELECT jsonb_array_elements_text(m.slots))
         FROM jsonb_to_recordset($2::jsonb) AS m (id uuid, slots jsonb) WHERE c.id = m.id`,
        [moves.flatMap(({ tokens }) => tokens), JSON.stringify(moves.map(({ connectionId, slots }) => ({ id: connectionId, slots })))],
      );
    const ids = moves.map(({ connectionId }) => connectionId);
    await this.seals.change(runner, ids, move);
  }

  /** Whether a connection that works may use it. */
  async isWanted(tokenId: string): Promise<boolean> {
    const rows = await this.run(
      this.dataSource,
      `SELECT 1 FROM tokens t JOIN connections c ON ${MAY_USE} WHERE t.id = $1 AND c.status = 'connected' LIMIT 1`,
      [tokenId],
    );
    return rows.length > 0;
  }

  private async saveRenewed(
    runner: SqlRunner,
    connection: Place,
    [grant]: readonly TokenGrant[],
    options: SaveOptions & { mode: 'refresh' },
  ): Promise<StoredToken[]> {
    const [held] = await this.run<TokenRow>(runner, 'SELECT * FROM tokens WHERE id = $1 FOR NO KEY UPDATE', [options.tokenId]);
    if (!grant || held?.version !== options.expectedVersion) return [];
    return [await this.write(runner, connection, held, grant, options)];
  }

  private async write(
    runner: SqlRunner,
    connection: Place,
    held: TokenSeat | TokenRow,
    grant: TokenGrant,
    options: SaveOptions,
  ): Promise<StoredToken> {
    const refreshToken = grant.refreshToken ?? this.keptRefreshToken(connection, held, options);
    const [row] = await this.run<TokenRow>(
      runner,
      `INSERT INTO tokens AS t (id, connection_id, grant_id, slot, kind, access_token, refresh_token, key_id, scopes, expires_at, obtained_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
       ON CONFLICT (id) DO UPDATE SET access_token = excluded.access_token, refresh_token = excluded.refresh_token, key_id = excluded.key_id,
         scopes = CASE WHEN cardinality(excluded.scopes) = 0 THEN t.scopes ELSE excluded.scopes END, expires_at = excluded.expires_at,
         obtained_at = excluded.obtained_at, updated_at = excluded.updated_at, version = t.version + 1
       RETURNING t.*`,
      [
        held.id,
        held.connection_id,
        held.grant_id,
        held.slot,
        held.kind,
        this.secrets.encrypt(grant.accessToken, bindingFor(connection, held, 'access')),
        refreshToken === undefined ? null : this.secrets.encrypt(refreshToken, bindingFor(connection, held, 'refresh')),
        this.secrets.primaryKeyId,
        [...grant.scopes],
        expiryOf(grant, options.at),
        options.at,
      ],
    );
    if (!row) throw new IntegrationError('internal_error');
    // whatever was in doubt about the pair before this one is settled
    await this.run(runner, 'DELETE FROM token_refreshes WHERE token_id = $1', [row.id]);
    return this.open(connection, row);
  }

  private keptRefreshToken(connection: Place, held: TokenSeat | TokenRow, options: SaveOptions): string | undefined {
    if (!('refresh_token' in held) || held.refresh_token === null) return undefined;
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
      accessToken: this.secrets.decrypt(row.access_token, bindingFor(connection, row, 'access')),
      ...(row.refresh_token !== null && {
        refreshToken: this.secrets.decrypt(row.refresh_token, bindingFor(connection, row, 'refresh')),
      }),
      ...(row.expires_at !== null && { expiresAt: row.expires_at }),
      obtainedAt: row.obtained_at,
      version: row.version,
      scopes: row.scopes,
      shared: row.slot !== null,
    };
  }

  private async run<Row extends object>(runner: SqlRunner, sql: string, params: unknown[]): Promise<Row[]> {
    try {
      return await asService(() => runner.query<Row>(sql, params));
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

function grantOf({ kind, accessToken, refreshToken, expiresAt, obtainedAt, scopes }: StoredToken): TokenGrant {
  const expiresInS = expiresAt && (expiresAt.getTime() - obtainedAt.getTime()) / 1_000;
  return {
    kind,
    accessToken,
    scopes,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(expiresInS !== undefined && { expiresInS }),
  };
}

const ownPlace = (connectionId: string) => ({ connection_id: connectionId, grant_id: null, slot: null });

/** What is not a sensible number of seconds is taken for "does not say": then a 401 tells when it has ended. */
function expiryOf(grant: TokenGrant, at: Date): Date | null {
  const seconds = grant.expiresInS;
  if (seconds === undefined || !Number.isFinite(seconds) || seconds <= 0) return null;
  return new Date(at.getTime() + Math.min(seconds, 10 * 365 * 86_400) * 1_000);
}
