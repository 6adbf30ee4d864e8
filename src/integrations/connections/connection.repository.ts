import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { asStorageError, asTenant } from '../../database';
import { IntegrationError, type ErrorCode } from '../../errors';
import type { AccountIdentity } from '../contract';
import { partView, type PartFacts } from './part-view';
import { connectionOf, type Connection, type ConnectionRow, type ConnectionStatus, type ConnectionWithSync } from './connection';
import { maySee, STRICTEST_POLICY, visibleTo, type ConnectionPolicy, type ConnectionViewer } from './connection-access';
import { grantFor } from './grants';
import { ConnectionSeals } from './seals/connection-seals';
import { sealedOf } from './seals/sealed-columns';
import type { SqlRunner } from '../../database';

export interface NewConnection {
  readonly tenant: string;
  /** Empty: the organization's. */
  readonly userId: string;
  /** What it does not say stays as it is, or is the default. */
  readonly policy?: Partial<ConnectionPolicy>;
  readonly provider: string;
  readonly authType: 'oauth2' | 'api_key';
  readonly account: AccountIdentity;
  /** Our app at the provider. */
  readonly client?: string;
  /** The credential is the person's own: no other connection stands on it. */
  readonly ownGrant?: boolean;
  readonly scopes: readonly string[];
  readonly at: Date;
}

export interface ConnectionList {
  /** Of what the viewer sees, one organization's. */
  readonly tenant?: string;
  readonly provider?: string;
  readonly status?: ConnectionStatus;
  readonly userId?: string;
  /** The id of an account, or the beginning of its name, whatever its case. */
  readonly account?: string;
  readonly owner?: 'user' | 'organization';
  readonly limit: number;
  /** Id of the last one that was seen. */
  readonly after?: string;
}

export interface StatusChange {
  readonly status: ConnectionStatus;
  /** Only a connection in one of these is changed. */
  readonly from: readonly ConnectionStatus[];
  readonly error?: { readonly code: ErrorCode; readonly providerCode?: string };
  readonly at: Date;
  /** Only where the connection was connected no later than this: what ended an older grant does not end a newer one. */
  readonly connectedUntil?: Date;
  /** Only where the token is still of this version. */
  readonly token?: { readonly id: string; readonly version: number };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whose connections, of a list of what belongs to connections. */
export interface OfWhom {
  readonly userId?: string;
  /** The id of an account, or the beginning of its name, whatever its case. */
  readonly account?: string;
}

/** As two bounds, which an index takes whatever the database's collation; the second is above all that begins so. */
const ofAccount = (place: string) =>
  `(c.account_id = ${place} OR (lower(c.account_name) COLLATE "C" >= lower(${place}) AND lower(c.account_name) COLLATE "C" < lower(${place}) || chr(1114111)))`;

/** Where nothing is synced. */
export const NO_SYNC = `NULL::timestamptz AS last_sync, false AS syncing, '[]'::json AS parts`;
type RowWithSync = ConnectionRow & { last_sync: Date | null; syncing: boolean; parts: readonly PartFacts[] };

/** That the viewer may work with what `findFor` found, now. @throws IntegrationError `forbidden`, `connection_not_found`, `not_connected`, `needs_reauth`, ... */
export function assertUsable(viewer: ConnectionViewer, connection: Connection, provider = connection.provider): void {
  if (viewer.role === 'support') throw new IntegrationError('forbidden');
  if (connection.provider !== provider) throw new IntegrationError('connection_not_found');
  if (connection.status === 'disconnected') throw new IntegrationError('not_connected', { provider });
  if (connection.status === 'needs_reauth')
    throw new IntegrationError(connection.error?.code ?? 'needs_reauth', { provider, providerCode: connection.error?.providerCode });
}

@Injectable()
export class ConnectionRepository {
  private syncColumns = NO_SYNC;

  constructor(
    private readonly dataSource: DataSource,
    private readonly seals: ConnectionSeals,
  ) {}

  /** @param columns `last_sync`, `syncing` and `parts` of a connection `c`, in SQL, from whoever syncs */
  showSync(columns: string): void {
    this.syncColumns = columns;
  }

  /** To act with it. @throws IntegrationError `connection_altered` */
  async findById(id: string, runner: SqlRunner = this.dataSource): Promise<Connection | undefined> {
    const row = await this.row(id, runner);
    if (row) this.seals.check(sealedOf(row));
    return row && connectionOf(row);
  }

  /** To act with it. @throws IntegrationError `connection_altered`, `connection_not_found`, also for one that the viewer may not see */
  async findFor(viewer: ConnectionViewer, id: string): Promise<Connection> {
    const row = await this.row(id, this.of(viewer));
    if (!row || !maySee(viewer, connectionOf(row))) throw new IntegrationError('connection_not_found');
    this.seals.check(sealedOf(row));
    return connectionOf(row);
  }

  /** A connection of this provider that can be worked with now. @throws as `findFor` and `assertUsable` */
  async findUsable(viewer: ConnectionViewer, provider: string, id: string): Promise<Connection> {
    const connection = await this.findFor(viewer, id);
    assertUsable(viewer, connection, provider);
    return connection;
  }

  /** To show it. @throws IntegrationError `connection_not_found` */
  async findWithSync(viewer: ConnectionViewer, id: string): Promise<ConnectionWithSync> {
    if (!UUID.test(id)) throw new IntegrationError('connection_not_found');
    const [row] = await this.read<RowWithSync>(this.of(viewer), `SELECT c.*, ${this.syncColumns} FROM connections c WHERE c.id = $1`, [id]);
    if (!row || !maySee(viewer, connectionOf(row))) throw new IntegrationError('connection_not_found');
    return this.shown(row);
  }

  /** To show them, newest first. */
  async list(
    viewer: ConnectionViewer,
    { tenant, provider, status, userId, account, owner, limit, after }: ConnectionList,
  ): Promise<ConnectionWithSync[]> {
    const params: unknown[] = [];
    const param = (value: unknown) => `$${params.push(value)}`;
    const conditions = visibleTo(viewer, param);
    if (tenant !== undefined) conditions.push(`c.tenant = ${param(tenant)}`);
    if (provider !== undefined) conditions.push(`c.provider = ${param(provider)}`);
    if (status !== undefined) conditions.push(`c.status = ${param(status)}`);
    if (userId !== undefined) conditions.push(`c.user_id = ${param(userId)}`);
    if (account !== undefined) conditions.push(ofAccount(param(account)));
    if (owner !== undefined) conditions.push(owner === 'organization' ? `c.user_id = ''` : `c.user_id <> ''`);
    if (after !== undefined) conditions.push(`c.id < ${param(after)}`);
    const rows = await this.read<RowWithSync>(
      this.of(viewer),
      `SELECT c.*, ${this.syncColumns} FROM connections c ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY c.id DESC LIMIT $${params.push(limit)}`,
      params,
    );
    return rows.map((row) => this.shown(row));
  }

  /**
   * Which connections are meant, for lists of what belongs to one. @param tenant undefined: of all
   * @returns undefined where nothing is asked; else the ids of the newest thousand
   */
  async idsOf(tenant: string | undefined, { userId, account }: OfWhom): Promise<string[] | undefined> {
    if (userId === undefined && account === undefined) return undefined;
    const rows = await this.read<{ id: string }>(
      asTenant(this.dataSource, tenant),
      `SELECT c.id FROM connections c WHERE ($1::text IS NULL OR c.tenant = $1) AND ($2::text IS NULL OR c.user_id = $2)
         AND ($3::text IS NULL OR ${ofAccount('$3::text')}) ORDER BY c.id DESC LIMIT 1000`,
      [tenant ?? null, userId ?? null, account ?? null],
    );
    return rows.map(({ id }) => id);
  }

  /** The one connection of this account: made, or made good again with its id, records and cursors. */
  async upsertConnected(manager: SqlRunner, fresh: NewConnection): Promise<{ connection: Connection; created: boolean }> {
    const { account } = fresh;
    const ownGrant = fresh.ownGrant ?? fresh.authType === 'api_key';
    const key = ownGrant ? JSON.stringify([fresh.tenant, fresh.userId, account.accountId]) : (account.grantKey ?? account.accountId);
    const grantId = await grantFor(
      manager,
      { provider: fresh.provider, client: ownGrant ? '' : (fresh.client ?? ''), account: key },
      fresh.at,
    );
    const policy = await this.policyOf(manager, fresh);
    const [row] = await manager.query<ConnectionRow & { created: boolean }>(
      `INSERT INTO connections AS c (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, scopes, metadata, grant_id, created_at, updated_at, connected_at,
         used_by, managed_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'connected', $9, $10::jsonb, $12, $11, $11, $11, coalesce($13, 'all'), coalesce($14, 'admins'))
       ON CONFLICT (tenant, user_id, provider, account_id) DO UPDATE SET
         account_name = excluded.account_name, routing_key = excluded.routing_key, auth_type = excluded.auth_type, status = 'connected',
         scopes = excluded.scopes, metadata = excluded.metadata, grant_id = excluded.grant_id, error_code = NULL, error_provider_code = NULL, error_at = NULL,
         updated_at = excluded.updated_at, connected_at = excluded.connected_at, disconnected_at = NULL,
         used_by = coalesce($13, c.used_by), managed_by = coalesce($14, c.managed_by)
       RETURNING c.*, (c.xmax = 0) AS created`,
      [
        uuidv7(),
        fresh.tenant,
        fresh.userId,
        fresh.provider,
        account.accountId,
        account.accountName,
        account.routingKey ?? account.accountId,
        fresh.authType,
        [...fresh.scopes],
        JSON.stringify(account.metadata ?? {}),
        fresh.at,
        grantId,
        policy.usedBy ?? null,
        policy.managedBy ?? null,
      ],
    );
    if (!row) throw new IntegrationError('internal_error');
    await this.seals.seal(manager, row.id);
    return { connection: connectionOf(row), created: row.created };
  }

  /** @returns the connection; undefined where it is a person's own, or gone */
  async setPolicy(
    runner: SqlRunner,
    id: string,
    { usedBy, managedBy }: Partial<ConnectionPolicy>,
    at: Date,
  ): Promise<Connection | undefined> {
    const change = () =>
      this.read<ConnectionRow>(
        runner,
        `WITH changed AS (UPDATE connections SET used_by = coalesce($2, used_by), managed_by = coalesce($3, managed_by), updated_at = $4
         WHERE id = $1 AND user_id = '' RETURNING *) SELECT * FROM changed`,
        [id, usedBy ?? null, managedBy ?? null, at],
      );
    const [row] = await this.seals.change(runner, [id], change);
    return row && connectionOf(row);
  }

  /** The connection, and after it those that work with the same shared token. */
  async whoShare(runner: SqlRunner, id: string, tokenId: string | undefined): Promise<string[]> {
    if (tokenId === undefined) return [id];
    const rows = await this.read<{ id: string }>(
      runner,
      `SELECT c.id FROM tokens t JOIN connections c ON c.grant_id = t.grant_id AND t.slot = ANY(c.slots)
       WHERE t.id = $1 AND t.slot IS NOT NULL AND c.id <> $2 AND c.status = 'connected' ORDER BY c.id`,
      [tokenId, id],
    );
    return [id, ...rows.map((row) => row.id)];
  }

  /**
   * The grant has new tokens in these slots: who needed them and had none that worked is connected again.
   * @returns those that were mended
   */
  async mend(runner: SqlRunner, connection: Connection, slots: readonly string[], at: Date): Promise<Connection[]> {
    const rows = await this.read<ConnectionRow>(
      runner,
      `WITH mended AS (
         UPDATE connections c SET status = 'connected', error_code = NULL, error_provider_code = NULL, error_at = NULL, updated_at = $4, connected_at = $4
         WHERE c.grant_id = $1 AND c.id <> $2 AND c.status = 'needs_reauth' AND cardinality(c.slots) > 0 AND c.slots <@ $3
           AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.connection_id = c.id)
         RETURNING *)
       SELECT * FROM mended ORDER BY id`,
      [connection.grantId, connection.id, [...slots], at],
    );
    return rows.map(connectionOf);
  }

  /** @returns the connection where it was changed, undefined where the conditions did not hold */
  async setStatus(runner: SqlRunner, id: string, change: StatusChange): Promise<Connection | undefined> {
    const [row] = await this.read<ConnectionRow>(
      runner,
      `WITH changed AS (
         UPDATE connections SET status = $2, error_code = $3, error_provider_code = $4,
           error_at = CASE WHEN $3::text IS NULL THEN NULL ELSE $5::timestamptz END, updated_at = $5,
           disconnected_at = CASE WHEN $2 = 'disconnected' THEN $5::timestamptz END
         WHERE id = $1 AND status = ANY($6) AND ($7::timestamptz IS NULL OR connected_at <= $7)
           AND ($8::uuid IS NULL OR EXISTS (SELECT 1 FROM tokens t WHERE t.id = $8 AND t.version = $9))
         RETURNING *)
       SELECT * FROM changed`,
      [
        id,
        change.status,
        change.error?.code ?? null,
        change.error?.providerCode?.slice(0, 100) ?? null,
        change.at,
        [...change.from],
        change.connectedUntil ?? null,
        change.token?.id ?? null,
        change.token?.version ?? null,
      ],
    );
    return row && connectionOf(row);
  }

  /** The database holds against it as well what `maySee` says of organizations. */
  private of({ role, tenant }: ConnectionViewer): SqlRunner {
    return asTenant(this.dataSource, role === 'operator' ? undefined : tenant);
  }

  private async row(id: string, runner: SqlRunner): Promise<ConnectionRow | undefined> {
    if (!UUID.test(id)) return undefined;
    const [row] = await this.read<ConnectionRow>(runner, 'SELECT * FROM connections WHERE id = $1', [id]);
    return row;
  }

  /** Of one that is connected anew it stays; where the row was altered meanwhile it is the strictest. */
  private async policyOf(runner: SqlRunner, fresh: NewConnection): Promise<Partial<ConnectionPolicy>> {
    const { tenant, userId, provider, account, policy = {} } = fresh;
    const [old] = await this.read<ConnectionRow>(
      runner,
      'SELECT * FROM connections WHERE tenant = $1 AND user_id = $2 AND provider = $3 AND account_id = $4 FOR NO KEY UPDATE',
      [tenant, userId, provider, account.accountId],
    );
    return old && userId === '' && !this.seals.fits(sealedOf(old)) ? { ...STRICTEST_POLICY, ...policy } : policy;
  }

  /** One that was altered shows nothing of what it may have been given. */
  private shown(row: RowWithSync): ConnectionWithSync {
    const connection = { ...connectionOf(row), lastSync: row.last_sync, syncInProgress: row.syncing, parts: row.parts.map(partView) };
    if (this.seals.fits(sealedOf(row))) return connection;
    const error = { code: 'connection_altered', at: row.altered_at ?? row.updated_at } as const;
    return {
      ...connection,
      status: 'needs_reauth',
      accountId: '',
      accountName: '',
      routingKey: '',
      scopes: [],
      metadata: {},
      parts: [],
      error,
    };
  }

  private async read<Row extends object>(runner: SqlRunner, sql: string, params: unknown[]): Promise<Row[]> {
    try {
      return await runner.query<Row>(sql, params);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}
