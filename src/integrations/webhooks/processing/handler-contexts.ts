import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { IntegrationEvents, ConnectionStatusService, type RevokedReason } from '../../connections';
import type { ConnectionRef, HandlerContext } from '../../contract';
import { RealtimeRecords } from '../../sync';
import { FurtherReceivers } from '../inbox/further-receivers';
import type { ClaimedEvent } from './claimed-event';

/** Something to do once the transaction is committed, e.g. to wake or to tell. Never throws. */
export type AfterCommit = () => void;

interface ContextOf {
  readonly event: ClaimedEvent;
  readonly manager: EntityManager;
  readonly signal: AbortSignal;
  /** Filled with what is to be done once the transaction is committed. */
  readonly afterCommit: AfterCommit[];
}

async function* nothing(): AsyncGenerator<never, void, void> {}

/** Makes what a handler works with. */
@Injectable()
export class HandlerContexts {
  constructor(
    private readonly statuses: ConnectionStatusService,
    private readonly events: IntegrationEvents,
    private readonly records: RealtimeRecords,
    private readonly receivers: FurtherReceivers,
  ) {}

  make({ event, manager, signal, afterCommit }: ContextOf): HandlerContext {
    const { connection } = event;
    // For an account that nobody connected there is nothing to change: these do nothing then.
    const within = async (work: () => Promise<AfterCommit | void> | undefined) => {
      signal.throwIfAborted();
      const tell = await work();
      if (tell) afterCommit.push(tell);
    };
    return {
      ...(connection && { connection }),
      manager,
      signal,
      applyRecords: (resource, records, options) =>
        within(() => connection && this.records.apply(manager, connection, resource, records, { partition: options?.partition ?? '' })),
      partsOf: (resource, partOf) => (connection ? this.records.partsOf(manager, connection, resource, partOf) : nothing()),
      requestSync: (resources) => within(() => connection && this.records.request(manager, connection, resources)),
      tendWatch: (channelId, what) => within(() => connection && this.records.tendWatch(manager, connection, channelId, what)),
      alsoFor: (events) => within(() => this.receivers.add(manager, event, events)),
      markRevoked: (reason) =>
        within(() => connection && this.revoke(manager, connection, { ...reason, eventAt: event.receivedAt.getTime() })),
    };
  }

  private async revoke(manager: EntityManager, { id }: ConnectionRef, reason: RevokedReason): Promise<AfterCommit | undefined> {
    const told = await this.statuses.markRevoked(manager, id, reason);
    return told && (() => this.events.emit(told));
  }
}
