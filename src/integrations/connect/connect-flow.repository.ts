import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asStorageError } from '../../database';
import { bindingOf, SecretBox } from '../connections';
import { hashOf, newSecret, SECRET_SHAPE } from './one-time-secret';

/** Who connects what, and where the browser goes afterwards. */
export interface ConnectIntent {
  readonly tenant: string;
  readonly userId: string;
  readonly provider: string;
  readonly returnTo?: string;
  /** The connection that is to be mended. */
  readonly connectionId?: string;
  /** Asked for instead of the provider's usual ones. */
  readonly scopes?: readonly string[];
}

/** A flow that has come back from the provider. */
export interface FinishedFlow extends ConnectIntent {
  readonly browserHash: string;
  readonly codeVerifier?: string;
}

interface Row {
  tenant: string;
  user_id: string;
  provider: string;
  return_to: string | null;
  connection_id: string | null;
  scopes: string[] | null;
  expires_at: Date;
}

/** Connect sessions and OAuth states: random, stored as hashes, each good for one use. */
@Injectable()
export class ConnectFlowRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
  ) {}

  /** @returns the session's token; it is not stored */
  async createSession(intent: ConnectIntent, now: Date, expiresAt: Date): Promise<string> {
    const token = newSecret();
    await this.run('DELETE FROM connect_sessions WHERE expires_at < $1', [now]);
    await this.run(
      'INSERT INTO connect_sessions (token_hash, tenant, user_id, provider, return_to, connection_id, scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
      [hashOf(token), ...columnsOf(intent), expiresAt],
    );
    return token;
  }

  /** Takes a session, once: of several at the same time one gets it. */
  async takeSession(token: string, now: Date): Promise<ConnectIntent | undefined> {
    if (!SECRET_SHAPE.test(token)) return undefined;
    const [row] = await this.run<Row>(
      'WITH taken AS (DELETE FROM connect_sessions WHERE token_hash = $1 RETURNING *) SELECT * FROM taken',
      [hashOf(token)],
    );
    return row && row.expires_at > now ? intentOf(row) : undefined;
  }

  /** @returns the state for the provider; it is not stored, and the PKCE verifier only encrypted */
  async createState(intent: ConnectIntent, flow: { browser: string; codeVerifier?: string }, now: Date, expiresAt: Date): Promise<string> {
    const state = newSecret();
    const verifier = flow.codeVerifier === undefined ? null : this.secrets.encrypt(flow.codeVerifier, verifierBinding(state));
    await this.run('DELETE FROM oauth_states WHERE expires_at < $1', [now]);
    await this.run(
      `INSERT INTO oauth_states (state_hash, tenant, user_id, provider, return_to, connection_id, scopes, expires_at, browser_hash, code_verifier)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [hashOf(state), ...columnsOf(intent), expiresAt, hashOf(flow.browser), verifier],
    );
    return state;
  }

  /** Takes a state, once, whether or not the rest of the request turns out to be right. */
  async takeState(state: string, now: Date): Promise<FinishedFlow | undefined> {
    if (!SECRET_SHAPE.test(state)) return undefined;
    const [row] = await this.run<Row & { browser_hash: string; code_verifier: string | null }>(
      'WITH taken AS (DELETE FROM oauth_states WHERE state_hash = $1 RETURNING *) SELECT * FROM taken',
      [hashOf(state)],
    );
    if (!row || row.expires_at <= now) return undefined;
    return {
      ...intentOf(row),
      browserHash: row.browser_hash,
      ...(row.code_verifier !== null && { codeVerifier: this.secrets.decrypt(row.code_verifier, verifierBinding(state)) }),
    };
  }

  private async run<R extends object>(sql: string, params: unknown[]): Promise<R[]> {
    try {
      return await this.dataSource.query(sql, params);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

const verifierBinding = (state: string) => bindingOf('oauth-state', hashOf(state), 'verifier');

function columnsOf(intent: ConnectIntent): unknown[] {
  return [
    intent.tenant,
    intent.userId,
    intent.provider,
    intent.returnTo ?? null,
    intent.connectionId ?? null,
    intent.scopes ? [...intent.scopes] : null,
  ];
}

function intentOf(row: Row): ConnectIntent {
  return {
    tenant: row.tenant,
    userId: row.user_id,
    provider: row.provider,
    ...(row.return_to !== null && { returnTo: row.return_to }),
    ...(row.connection_id !== null && { connectionId: row.connection_id }),
    ...(row.scopes !== null && { scopes: row.scopes }),
  };
}
