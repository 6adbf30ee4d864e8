import { Injectable } from '@nestjs/common';
import { DataSource, LessThan } from 'typeorm';
import { asStorageError, snakeCase, type RowOf } from '../../database';
import type { Actor } from '../audit';
import { bindingOf, SecretBox, type ConnectionPolicy } from '../connections';
import { ConnectSessionEntity } from './connect-session.entity';
import { FlowSeal, type FlowTable } from './flow-seal';
import { OauthStateEntity } from './oauth-state.entity';
import { hashOf, newSecret, SECRET_SHAPE } from './one-time-secret';

/** Who connects what, and where the browser goes afterwards. */
export interface ConnectIntent {
  readonly tenant: string;
  /** The person who consents. */
  readonly userId: string;
  /** Whose the connection will be. Default: the person's. */
  readonly owner?: 'user' | 'organization';
  /** Of an organization's connection; what is absent stays as it is. */
  readonly policy?: Partial<ConnectionPolicy>;
  readonly provider: string;
  readonly returnTo?: string;
  /** The connection that is to be mended. */
  readonly connectionId?: string;
  /** Asked for instead of the provider's usual ones. */
  readonly scopes?: readonly string[];
  /** Asked for in the person's own name. */
  readonly userScopes?: readonly string[];
  /** What the person filled in; no secret. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The id of the organization's own client with which it is done. Default: the operator's. */
  readonly client?: string;
  /** Who made the link: an administrator may mend another's connection. */
  readonly maker?: Actor;
  /** What the product calls the user and the organization; for the page that asks. */
  readonly display?: { readonly user?: string; readonly organization?: string };
}

/** A flow that has come back from the provider. */
export interface FinishedFlow extends ConnectIntent {
  readonly browserHash: string;
  readonly codeVerifier?: string;
}

/** Connect sessions and OAuth states: random, stored as hashes, each good for one use. */
@Injectable()
export class ConnectFlowRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    private readonly seal: FlowSeal,
  ) {}

  /** @returns the session's token; it is not stored */
  async createSession(intent: ConnectIntent, now: Date, expiresAt: Date): Promise<string> {
    const token = newSecret();
    await this.kept(this.dataSource.manager.delete(ConnectSessionEntity, { expiresAt: LessThan(now) }));
    const row = { tokenHash: hashOf(token), ...columnsOf(intent), display: intent.display ?? null, expiresAt };
    await this.kept(this.dataSource.manager.insert(ConnectSessionEntity, this.sealed('connect_sessions', row)));
    return token;
  }

  /** What a session is about; it stays good. */
  async findSession(token: string, now: Date): Promise<ConnectIntent | undefined> {
    if (!SECRET_SHAPE.test(token)) return undefined;
    const [row] = await this.rows<RowOf<ConnectSessionEntity>>('SELECT * FROM connect_sessions WHERE token_hash = $1', hashOf(token));
    if (!row || !this.isGood('connect_sessions', row, now)) return undefined;
    return { ...intentOf(row), ...(row.display && { display: row.display }) };
  }

  /** Takes a session, once: of several at the same time one gets it. */
  async takeSession(token: string, now: Date): Promise<ConnectIntent | undefined> {
    if (!SECRET_SHAPE.test(token)) return undefined;
    const [row] = await this.rows<RowOf<ConnectSessionEntity>>(
      'WITH taken AS (DELETE FROM connect_sessions WHERE token_hash = $1 RETURNING *) SELECT * FROM taken',
      hashOf(token),
    );
    return row && this.isGood('connect_sessions', row, now) ? intentOf(row) : undefined;
  }

  /** @returns the state for the provider; it is not stored, and the PKCE verifier only encrypted */
  async createState(intent: ConnectIntent, flow: { browser: string; codeVerifier?: string }, now: Date, expiresAt: Date): Promise<string> {
    const state = newSecret();
    const verifier = flow.codeVerifier === undefined ? null : this.secrets.encrypt(flow.codeVerifier, verifierBinding(state));
    await this.kept(this.dataSource.manager.delete(OauthStateEntity, { expiresAt: LessThan(now) }));
    const row = { stateHash: hashOf(state), ...columnsOf(intent), expiresAt, browserHash: hashOf(flow.browser), codeVerifier: verifier };
    await this.kept(this.dataSource.manager.insert(OauthStateEntity, this.sealed('oauth_states', row)));
    return state;
  }

  /** Takes a state, once, whether or not the rest of the request turns out to be right. */
  async takeState(state: string, now: Date): Promise<FinishedFlow | undefined> {
    if (!SECRET_SHAPE.test(state)) return undefined;
    const [row] = await this.rows<RowOf<OauthStateEntity>>(
      'WITH taken AS (DELETE FROM oauth_states WHERE state_hash = $1 RETURNING *) SELECT * FROM taken',
      hashOf(state),
    );
    if (!row || !this.isGood('oauth_states', row, now)) return undefined;
    return {
      ...intentOf(row),
      browserHash: row.browser_hash,
      ...(row.code_verifier !== null && { codeVerifier: this.secrets.decrypt(row.code_verifier, verifierBinding(state)) }),
    };
  }

  private sealed<Row extends object>(table: FlowTable, row: Row): Row & { seal: string } {
    const columns = Object.entries(row).map(([property, value]) => [snakeCase(property), value as unknown]);
    return { ...row, seal: this.seal.over(table, Object.fromEntries(columns) as Record<string, unknown>) };
  }

  private isGood<Row extends { readonly expires_at: Date; readonly seal: string | null }>(table: FlowTable, row: Row, now: Date): boolean {
    return row.expires_at > now && this.seal.fits(table, row);
  }

  private rows<Row>(sql: string, hash: string): Promise<Row[]> {
    return this.kept(this.dataSource.query<Row[]>(sql, [hash]));
  }

  private kept<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw asStorageError(error);
    });
  }
}

const verifierBinding = (state: string) => bindingOf('oauth-state', hashOf(state), 'verifier');

function columnsOf(intent: ConnectIntent) {
  const {
    tenant,
    userId,
    owner = 'user',
    policy = {},
    provider,
    returnTo,
    connectionId,
    scopes,
    userScopes,
    fields,
    maker,
    client,
  } = intent;
  const optional = {
    returnTo: returnTo ?? null,
    connectionId: connectionId ?? null,
    scopes: scopes ? [...scopes] : null,
    userScopes: userScopes ? [...userScopes] : null,
    fields: fields ?? null,
    maker: maker ?? null,
    client: client ?? null,
    usedBy: policy.usedBy ?? null,
    managedBy: policy.managedBy ?? null,
  };
  return { tenant, userId, owner, provider, ...optional };
}

function intentOf(row: Omit<RowOf<ConnectSessionEntity>, 'token_hash' | 'display' | 'seal'>): ConnectIntent {
  return {
    tenant: row.tenant,
    userId: row.user_id,
    owner: row.owner,
    policy: { ...(row.used_by && { usedBy: row.used_by }), ...(row.managed_by && { managedBy: row.managed_by }) },
    provider: row.provider,
    ...(row.return_to !== null && { returnTo: row.return_to }),
    ...(row.connection_id !== null && { connectionId: row.connection_id }),
    ...(row.scopes !== null && { scopes: row.scopes }),
    ...(row.user_scopes !== null && { userScopes: row.user_scopes }),
    ...(row.fields !== null && { fields: row.fields }),
    ...(row.maker !== null && { maker: row.maker }),
    ...(row.client !== null && { client: row.client }),
  };
}
