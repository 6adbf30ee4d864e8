import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asService, inTransaction } from '../../database';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import { ConnectionRepository, ConnectParticipants, eventOf, IntegrationEvents, TokenRepository, type Connection } from '../connections';
import type { AccountIdentity, Provider, TokenGrant } from '../contract';
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
  save(connected: ConnectedAccount): Promise<Connection> {
    return asService(() => this.store(connected)); // a grant may be shared by connections of several organizations
  }

  private async store({ provider, intent, authType, grants, ...given }: ConnectedAccount): Promise<Connection> {
    const at = new Date(this.clock.now());
    const scopes = scopesOf(grants);
    const { tenant, userId, client } = intent;
    // An id is no secret; by it the connection stays with the client that made it.
    const account = client === undefined ? given.account : { ...given.account, metadata: { ...given.account.metadata, clientId: client } };
    const isOrganizations = intent.owner === 'organization';
    const { connection, events } = await inTransaction(this.dataSource, async (manager) => {
      if (intent.connectionId !== undefined) {
        const old = await this.connections.findById(intent.connectionId, manager);
        if (!old) throw new IntegrationError('connection_not_found');
        if (old.accountId !== account.accountId) throw new IntegrationError('account_mismatch', { provider: provider.key });
      }
      const upserted = await this.connections.upsertConnected(manager, {
        tenant,
        userId: isOrganizations ? '' : userId,
        ...(isOrganizations && { policy: intent.policy }),
        provider: provider.key,
        authType,
        account,
        client: provider.oauth2?.clientId,
        ownGrant: authType === 'api_key' || provider.oauth2?.grant === 'client_credentials',
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
    });
    for (const event of events) this.events.emit(event);
    return connection;
  }
}
