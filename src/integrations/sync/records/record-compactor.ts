import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { changedRows, inTransaction } from '../../../database';
import { RecordStore } from './record-store';

const BATCH = 1_000;
const DAY_MS = 86_400_000;

/** Removes old tombstones. A reader whose cursor is older than the newest one removed is told to start again. */
@Injectable()
export class RecordCompactor {
  constructor(
    private readonly dataSource: DataSource,
    private readonly records: RecordStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays'>,
  ) {}

  /** @returns how many tombstones were removed */
  async compact(signal: AbortSignal): Promise<number> {
    const before = new Date(this.clock.now() - this.settings.retentionDays * DAY_MS);
    let removed = 0;
    while (!signal.aborted) {
      const [oldest] = await this.dataSource.query<{ connection_id: string }[]>(
        'SELECT connection_id FROM records WHERE deleted AND changed_at < $1 ORDER BY changed_at LIMIT 1',
        [before],
      );
      if (!oldest) break;
      removed += await this.compactSome(oldest.connection_id, before);
    }
    return removed;
  }

  private async compactSome(connectionId: string, before: Date): Promise<number> {
    return inTransaction(this.dataSource, async (manager) => {
      await this.records.lock(manager, connectionId);
      const rows = await changedRows<{ change_no: string }>(
        manager,
        `DELETE FROM records WHERE ctid = ANY(ARRAY(SELECT ctid FROM records WHERE connection_id = $1 AND deleted AND changed_at < $2 ORDER BY change_no LIMIT ${BATCH})) RETURNING change_no`,
        [connectionId, before],
      );
      const newest = rows.reduce((max, row) => (BigInt(row.change_no) > max ? BigInt(row.change_no) : max), 0n);
      await manager.query('UPDATE record_sequences SET compacted_to = greatest(compacted_to, $2::bigint) WHERE connection_id = $1', [
        connectionId,
        newest.toString(),
      ]);
      return rows.length;
    });
  }
}
