import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction } from '../../../database';
import { Outbox } from './outbox';
import { TAKE_CHANGES } from './outbox.queries';

interface ChangesRow {
  readonly connection_id: string;
  readonly resource: string;
  readonly tenant: string;
  readonly provider: string;
  readonly cursor: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly at: Date;
}

const BATCH = 500;

/** Makes events of gathered changes: one for each connection and resource, with the cursor to read them from. */
@Injectable()
export class RecordChangeBatches {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** @returns how many events were made */
  async flush(): Promise<number> {
    return inTransaction(this.dataSource, async (manager) => {
      const rows = await manager.query<ChangesRow[]>(TAKE_CHANGES, [BATCH]);
      await this.outbox.add(
        manager,
        rows.map(({ tenant, provider, connection_id: connectionId, at, resource, cursor, created, updated, deleted }) => ({
          type: 'record.changed',
          tenant,
          provider,
          connectionId,
          at,
          data: { resource, count: created + updated + deleted, created, updated, deleted, cursor },
        })),
      );
      return rows.length;
    });
  }
}
