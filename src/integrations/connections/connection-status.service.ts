import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditLog, PROVIDER, type AuditedAct } from '../audit';
import { CLOCK, type Clock } from '../../clock';
import { asService, inTransaction } from '../../database';
import type { ErrorCode } from '../../errors';
import { ownerOf } from './connection-access';
import { ConnectionRepository } from './connection.repository';
import { IntegrationEvents, type IntegrationEvent } from '../integration-events';
import { Outbox } from '../notifications/outbox';
import { lockGrantOf, releaseGrant, type Released } from './grants';
import type { Connection } from './connection';
import { ConnectionSeals } from './seals/connection-seals';
import type { SqlRunner } from '../../database';

export interface ReauthReason {
  /** `needs_reauth`, or `refresh_interrupted` where a crash lost the renewed token. */
  readonly code: ErrorCode;
  readonly providerCode?: string;
  /** Marks only while the token is still of this version: a newer one may be good. */
  readonly token?: { readonly id: string; readonly version: number };
}

export interface RevokedReason {
  /** `needs_reauth`: the user may mend it; `not_connected`: the provider removed the connection. */
  readonly code: 'needs_reauth' | 'not_connected';
  readonly providerCode: string;
  /** When it happened at the provider, ms. An older one than the connection's last connect is ignored. */
  readonly eventAt?: number;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = '55P03';

/** The one place where a connection goes out of service, or comes back by a disconnect. */
@Injectable()
export class ConnectionStatusService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly connections: ConnectionRepository,
    private readonly events: IntegrationEvents,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly seals: ConnectionSeals,
  ) {}

  /**
   * The access has ended and only the user can mend it. Without `manager` it commits and tells by itself; with one, give the event that is
   * returned to `IntegrationEvents.emit` after the commit. A token that is shared ends for all who work with it.
   * @returns undefined where nothing was changed: it was known already, or a newer token is there
   */
  async markNeedsReauth(connectionId: string, reason: ReauthReason, manager?: SqlRunner): Promise<IntegrationEvent | undefined> {
    const at = new Date(this.clock.now());
    const mark = async (runner: SqlRunner, id: string) => {
      const changed = await this.connections.setStatus(runner, id, {
        status: 'needs_reauth',
        from: ['connected'],
        error: reason,
        at,
        token: reason.token,
      });
      if (changed) await this.audit.record(grantEnd(changed), reason.code, { runner, actor: PROVIDER });
      return changed && this.note(runner, eventOf('connection.needs_reauth', changed, at));
    };
    if (manager) return mark(manager, connectionId);
    const events = await this.transaction(async (runner) => {
      const concerned = await this.connections.whoShare(runner, connectionId, reason.token?.id);
      const told: (IntegrationEvent | undefined)[] = [];
      for (const id of concerned) told.push(await mark(runner, id));
      return told;
    });
    for (const event of events) if (event) this.events.emit(event);
    return events[0];
  }

  /**
   * The provider tells that the grant was ended there. Destroys the tokens, in the transaction of `manager`.
   * @returns the event to emit after the commit; undefined where it concerns an older grant or was known already
   */
  async markRevoked(manager: SqlRunner, connectionId: string, reason: RevokedReason): Promise<IntegrationEvent | undefined> {
    const at = new Date(this.clock.now());
    const gone = reason.code === 'not_connected';
    await lockGrantOf(manager, connectionId);
    const changed = await this.connections.setStatus(manager, connectionId, {
      status: gone ? 'disconnected' : 'needs_reauth',
      from: gone ? ['connected', 'needs_reauth'] : ['connected'],
      error: reason,
      at,
      connectedUntil: reason.eventAt === undefined ? undefined : endOfUnit(reason.eventAt),
    });
    if (!changed) return undefined;
    await releaseGrant(manager, connectionId, this.seals);
    await this.audit.record(grantEnd(changed), reason.code, { runner: manager, actor: PROVIDER });
    return this.note(manager, eventOf(gone ? 'connection.disconnected' : 'connection.needs_reauth', changed, at));
  }

  /**
   * The user ends it: secrets and status go together. Where another process is renewing the token its row is locked: then the status
   * goes first, at which that renewal gives up, and the secrets a moment later. Nothing is left of them when it resolves.
   * @returns what was left of the grant; undefined where it was disconnected already
   */
  async markDisconnected(connectionId: string): Promise<Released | undefined> {
    const at = new Date(this.clock.now());
    const end = async (runner: SqlRunner) => {
      const changed = await this.connections.setStatus(runner, connectionId, {
        status: 'disconnected',
        from: ['connected', 'needs_reauth'],
        at,
      });
      return changed && this.note(runner, eventOf('connection.disconnected', changed, at));
    };
    try {
      const { event, released } = await this.transaction(async (manager) => {
        await manager.query(`SET LOCAL lock_timeout = '500ms'`);
        await lockGrantOf(manager, connectionId);
        const event = await end(manager);
        return { event, released: await releaseGrant(manager, connectionId, this.seals) };
      });
      return this.tell(event) && released;
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    }
    const event = this.tell(await this.transaction(end));
    const released = await this.transaction(async (manager) => {
      await manager.query(`SET LOCAL statement_timeout = '60s'`); // longer than any token call
      return releaseGrant(manager, connectionId, this.seals);
    });
    return event && released;
  }

  /** A grant may be shared by connections of several organizations. */
  private transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return asService(() => inTransaction(this.dataSource, work));
  }

  private tell(event: IntegrationEvent | undefined): IntegrationEvent | undefined {
    if (event) this.events.emit(event);
    return event;
  }

  /** For the product, kept together with the change itself. */
  private async note(runner: SqlRunner, event: IntegrationEvent): Promise<IntegrationEvent> {
    await this.outbox.add(runner, [event]);
    return event;
  }
}

export function eventOf(
  type: 'connection.connected' | 'connection.needs_reauth' | 'connection.disconnected',
  connection: Connection,
  at: Date,
): IntegrationEvent {
  const { error } = connection;
  return {
    type,
    tenant: connection.tenant,
    provider: connection.provider,
    connectionId: connection.id,
    at,
    data: {
      owner: ownerOf(connection),
      userId: connection.userId || null,
      account: { id: connection.accountId, name: connection.accountName },
      ...(error && { code: error.code, ...(error.providerCode !== undefined && { providerCode: error.providerCode }) }),
    },
  };
}

/** Providers often tell whole seconds: what happened within that second may have been after the connect. */
function endOfUnit(ms: number): Date {
  return new Date(ms % 1_000 === 0 ? ms + 999 : ms);
}

function grantEnd({ id, tenant }: { readonly id: string; readonly tenant: string }): AuditedAct {
  return { action: 'grant.end', tenant, target: `connection:${id}` };
}
