import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { DatabaseInfo } from '../../database';
import { RETENTIONS, type TableRetention } from './retention-list';

/** Rows a statement: short enough that nobody waits for its locks. */
const BATCH = 5_000;
/** Between two statements, ms: others get their turn. */
const PAUSE_MS = 20;

/** Deletes what is older than it is kept for, in short statements, until nothing is overdue. */
@Injectable()
export class Retention {
  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseInfo,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async sweep(signal?: AbortSignal): Promise<void> {
    let deleted = 0;
    for (const [table, retention] of Object.entries(RETENTIONS)) {
      if ('column' in retention) deleted += await this.deleteOld(table, retention, signal);
    }
    // A server vacuums by itself, the embedded database does not: without this its files only grow.
    if (deleted > 0 && this.database.kind === 'embedded' && !signal?.aborted) await this.dataSource.query('VACUUM');
  }

  private async deleteOld(table: string, { column, days, only = 'true' }: TableRetention, signal?: AbortSignal): Promise<number> {
    let total = 0;
    while (!signal?.aborted) {
      const [, deleted] = (await this.dataSource.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${table} WHERE ${column} < now() - make_interval(days => $1::int) AND ${only} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
        [days(this.settings.retentionDays)],
      )) as [unknown, number];
      total += deleted;
      if (deleted < BATCH) break;
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return total;
  }
}
