import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationEvents } from '../../connections';
import type { ConnectionRef, StoredRecord, SyncRecord } from '../../contract';
import { WakeUp } from '../../jobs';
import { EventShapes } from './event-shapes';
import { changesByResource, RecordChangeEvents } from './record-change-events';
import { RecordStore } from './record-store';
import { SyncService } from '../runs/sync.service';
import { WatchService } from '../watches/watch.service';

/** What an event's handler may ask of the sync, within its own transaction. What is returned is to be called after the commit. */
@Injectable()
export class RealtimeRecords {
  constructor(
    private readonly records: RecordStore,
    private readonly service: SyncService,
    private readonly events: IntegrationEvents,
    private readonly wakeUp: WakeUp,
    private readonly changes: RecordChangeEvents,
    private readonly watches: WatchService,
    private readonly shapes: EventShapes,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Upserts and deletions that an event brought. */
  async apply(
    manager: EntityManager,
    connection: ConnectionRef,
    resource: string,
    records: readonly SyncRecord[],
    { partition }: { partition: string },
  ): Promise<(() => void) | undefined> {
    if (records.length === 0) return undefined;
    const { tenant, provider, id: connectionId } = connection;
    const owner = { tenant, provider, connectionId };
    const before = await this.changes.position(manager, owner);
    const counts = await this.records.apply(manager, connection, resource, partition, records);
    await this.shapes.check(manager, connection, { resource, partition, records });
    const changed = changesByResource(resource, counts).filter(({ created, updated, deleted }) => created + updated + deleted > 0);
    if (changed.length === 0) return undefined;
    await this.changes.tell(manager, owner, resource, before, counts);
    return () => {
      for (const data of changed)
        this.events.emit({ ...owner, type: 'records.changed', at: new Date(this.clock.now()), data: { ...data, partition } });
    };
  }

  /** What is stored and hangs on a record of another resource. */
  partsOf(
    manager: EntityManager,
    connection: ConnectionRef,
    resource: string,
    partOf: { readonly resource: string; readonly id: string },
  ): AsyncIterable<readonly StoredRecord[]> {
    return this.records.partsOf(manager, connection, resource, partOf);
  }

  /** An incremental run; a burst of wishes becomes one. */
  async request(manager: EntityManager, connection: ConnectionRef, resources: readonly string[] = []): Promise<() => void> {
    await this.service.request(connection.id, { type: 'incremental', trigger: 'webhook', resources }, manager);
    return () => this.wakeUp.wake('sync');
  }

  /** What the provider says of a watch of this connection; a run finds what was not told, and makes a watch where none is left. */
  async tendWatch(
    manager: EntityManager,
    connection: ConnectionRef,
    channelId: string,
    what: 'renew' | 'ended' | 'missed',
  ): Promise<(() => void) | undefined> {
    const resource = await this.watches.tend(manager, connection.id, channelId, what);
    return resource === undefined || what === 'renew' ? undefined : this.request(manager, connection, [resource]);
  }
}
