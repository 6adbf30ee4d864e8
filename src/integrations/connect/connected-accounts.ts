import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asService, inTransaction, type SqlRunner } from '../../database';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import {
  ConnectionRepository,
  ConnectParticipants,
  eventOf,
  IntegrationEvents,
  TokenRepository,
  type Connection,
  type IntegrationEvent,
} from '../connections';
import type { AccountIdentity, Provider, TokenGrant } from '../contract';
import { isMintedAnew } from '../providers';
import { Outbox } from '../notifications/outbox';
import { scopesOf } from './asked-scopes';
import type { ConnectIntent } from './connect-flow.repository';

export interface ConnectedAccount {
  readonly provider: Provider;
  readonly intent: Pick<ConnectIntent, 'tenant' | 'userId' | 'owner' | 'policy' | 'connectionId' | 'maker' | 'client'>;
  readonly authType: 'oauth2' | 'api_key';
  readonly account: AccountIdentity;
  readonly grants: readonly TokenGrant[];
}

/** An account, and what it was given. */
export type GrantedAccount = Pick<ConnectedAccount, 'account' | 'grants'>;

type Connecting = Omit<ConnectedAccount, keyof GrantedAccount>;

interface Stored {
  readonly connection: Connection;
  /** What this process is told once it is committed. */
  readonly events: readonly IntegrationEvent[];
}

/** Stores what came of connecting. */
@Injectable()
export class ConnectedAccounts {
  constructor(
    private readonly dataSource: DataSource,
    private readonly connections: ConnectionRepository,
    private readonly tokens: TokenRepository,
    private readonly participants: ConnectParticipants,
    private readonly events: IntegrationEvents,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Connection, tokens, first sync, audit entry and what the product is told: all or nothing. */
  async save({ account, grants, ...given }: ConnectedAccount): Promise<Connection> {
    const [connection] = await this.storeAll(given, [{ account, grants }]);
    return connection;
  }

  /** Accounts of one consent that were each given tokens of their own. @throws as `saveAll` */
  saveEach(given: Connecting, granted: readonly GrantedAccount[]): Promise<readonly [Connection, ...Connection[]]> {
    return this.storeAll(given, granted);
  }

  /** Those of a consent that are wanted: where it mends a connection, the one that belongs to it. @throws IntegrationError `account_mismatch` */
  async wanted(given: Pick<Connecting, 'provider' | 'intent'>, accounts: readonly AccountIdentity[]): Promise<readonly AccountIdentity[]> {
    if (given.intent.connectionId === undefined) return accounts;
    const granted = accounts.map((account) => ({ account, grants: [] }));
    const { account } = await asService(() => this.mended(this.dataSource, given, granted));
    return [account];
  }

  /**
   * The same for all accounts of one consent. Where it mends a connection it is for that one alone; the others of the consent share its token.
   * @throws IntegrationError `connect_failed` where there is none, `account_mismatch`
   */
  saveAll(
    { grants, ...given }: Omit<ConnectedAccount, 'account'>,
    accounts: readonly AccountIdentity[],
  ): Promise<readonly [Connection, ...Connection[]]> {
    const { tenant, userId, owner } = given.intent;
    // The token that they share is this person's: the same person of another organization has one of their own.
    const grantOf = ({ grantKey = '' }: AccountIdentity) => JSON.stringify([tenant, owner === 'organization' ? '' : userId, grantKey]);
    return this.storeAll(
      given,
      accounts.map((account) => ({ account: { ...account, grantKey: grantOf(account) }, grants })),
    );
  }

  private async storeAll(given: Connecting, accounts: readonly GrantedAccount[]): Promise<readonly [Connection, ...Connection[]]> {
    const { provider, intent } = given;
    const [first, ...more] = accounts;
    if (!first)
      throw new IntegrationError('connect_failed', {
        provider: provider.key,
        detail: `${provider.name} gave access to no account.`,
        nextStep: 'Connect again, and choose an account that you may use.',
      });
    // A grant may be shared by connections of several organizations.
    const { connections, events } = await asService(() =>
      inTransaction(this.dataSource, async (manager) => {
        const mended = intent.connectionId === undefined ? undefined : await this.mended(manager, given, accounts);
        const stored = [await this.store(manager, { ...given, ...(mended ?? first) })] as [Stored, ...Stored[]];
        for (const granted of mended ? [] : more) stored.push(await this.store(manager, { ...given, ...granted }));
        const [{ connection }, ...others] = stored;
        const connections = [connection, ...others.map((each) => each.connection)] as const;
        return { connections, events: stored.flatMap((each) => each.events) };
      }),
    );
    for (const event of events) this.events.emit(event);
    return connections;
  }

  /** Which of the accounts belongs to the connection that is to be mended. */
  private async mended(
    runner: SqlRunner,
    { provider, intent }: Pick<Connecting, 'provider' | 'intent'>,
    accounts: readonly GrantedAccount[],
  ): Promise<GrantedAccount> {
    const old = await this.connections.findById(intent.connectionId ?? '', runner);
    if (!old) throw new IntegrationError('connection_not_found');
    const same = accounts.find(({ account }) => account.accountId === old.accountId);
    if (!same) throw new IntegrationError('account_mismatch', { provider: provider.key });
    return same;
  }

  private async store(manager: EntityManager, { provider, intent, authType, grants, ...given }: ConnectedAccount): Promise<Stored> {
    const at = new Date(this.clock.now());
    const scopes = scopesOf(grants);
    const { tenant, userId, client } = intent;
    // An id is no secret; by it the connection stays with the client that made it.
    const account = client === undefined ? given.account : { ...given.account, metadata: { ...given.account.metadata, clientId: client } };
    const isOrganizations = intent.owner === 'organization';
    const upserted = await this.connections.upsertConnected(manager, {
      tenant,
      userId: isOrganizations ? '' : userId,
      ...(isOrganizations && { policy: intent.policy }),
      provider: provider.key,
      authType,
      account,
      client: provider.oauth2?.clientId,
      ownGrant: authType === 'api_key' || isMintedAnew(provider.oauth2),
      scopes,
      at,
    });
    const slotOf = (kind: string) => provider.auth.slotOf?.(kind, account.metadata ?? {});
    await this.tokens.save(manager, upserted.connection, grants, { mode: 'replace', at, slotOf });
    const slots = grants.flatMap(({ kind }) => slotOf(kind) ?? []);
    const mended = await this.connections.mend(manager, upserted.connection, slots, at);
    const act = { action: 'connection.connect' as const, tenant, target: `connection:${upserted.connection.id}` };
    await this.audit.record(act, 'ok', { runner: manager, ...(intent.maker && { actor: intent.maker }) });
    for (const each of [upserted.connection, ...mended]) await this.participants.write(manager, each, at);
    const told = eventOf('connection.connected', upserted.connection, at);
    const event = { ...told, data: { ...told.data, created: upserted.created } };
    const events = [event, ...mended.map((each) => eventOf('connection.connected', each, at))];
    await this.outbox.add(manager, events);
    return { connection: upserted.connection, events };
  }
}
