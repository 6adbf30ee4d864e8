import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import type { SqlRunner } from '../../../database';
import { Outbox } from '../../notifications/outbox';
import { feedCursor } from '../feed/record-feed';
import type { RecordCounts } from './record-store';

/** Whose records are changed. */
export interface ChangeOwner {
  readonly tenant: string;
  readonly provider: string;
  readonly connectionId: string;
}

/** Where the feed stood before a change. */
export interface FeedPosition {
  readonly lastChange: string;
  readonly compactedTo: string;
}

/** Notes changes of records for whoever asked to be told, in the transaction of the changes. */
@Injectable()
export class RecordChangeEvents {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly outbox: Outbox,
  ) {}

  /** Whether a change has to be noted with its records; mostly a look into a cache. */
  wanted(runner: SqlRunner, tenant: string): Promise<boolean> {
    return this.outbox.wants(runner, 'record.changed', tenant);
  }

  /** To be asked before the change; takes the connection's turn to write. @returns undefined where nobody wants to know */
  async position(manager: EntityManager, { tenant, connectionId }: ChangeOwner): Promise<FeedPosition | undefined> {
    if (!(await this.wanted(manager, tenant))) return undefined;
    const [row] = await manager.query<FeedPosition[]>(
      'SELECT last_change AS "lastChange", compacted_to AS "compactedTo" FROM record_sequences WHERE connection_id = $1 FOR UPDATE',
      [connectionId],
    );
    return row ?? { lastChange: '0', compactedTo: '0' }; // the first change ever
  }

  async tell(
    manager: EntityManager,
    owner: ChangeOwner,
    resource: string,
    before: FeedPosition | undefined,
    counts: RecordCounts,
  ): Promise<void> {
    if (!before) return;
    const { tenant, provider, connectionId } = owner;
    const at = new Date(this.clock.now());
    for (const changed of changesByResource(resource, counts)) {
      const cursor = feedCursor(changed.resource, before.lastChange, before.compactedTo);
      await this.outbox.recordsChanged(manager, { tenant, provider, connectionId, ...changed, cursor, at });
    }
  }
}

/** What changed in a resource, and in those whose records hung on it. */
export function changesByResource(resource: string, { created, updated, deleted, elsewhere = {} }: RecordCounts) {
  const others = Object.entries(elsewhere).map(([name, gone]) => ({ resource: name, created: 0, updated: 0, deleted: gone }));
  return [{ resource, created, updated, deleted }, ...others];
}
